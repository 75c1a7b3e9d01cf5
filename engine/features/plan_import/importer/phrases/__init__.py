"""What the words of a plan mean: marks, names of agencies, roles, deadlines."""
