"""Queries that count: the board, progress of plans, reporting rates, the year."""
