"""Queries for statistics: the board, progress of plans, reporting rates, the year."""
