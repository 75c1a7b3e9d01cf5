"""Plans: loading, amending, simulating and closing."""
