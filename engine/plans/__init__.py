"""Plans as they are loaded, amended, simulated and closed."""
