"""Pages that show how things stand: board, leadership, health, letters, the demonstration."""
