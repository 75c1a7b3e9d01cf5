"""Queries for statistics: the board, progress of plans, the year."""
