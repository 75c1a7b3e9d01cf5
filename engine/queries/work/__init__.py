"""Queries about assignments: lists, the desk, the report page, what waits for a decision."""
