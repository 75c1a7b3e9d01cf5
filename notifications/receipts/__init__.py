"""What became of letters after they left, and what follows from it."""
