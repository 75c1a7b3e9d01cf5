"""Overview pages: board, leadership, health, letters, the demonstration."""
