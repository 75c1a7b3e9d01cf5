"""Queries about assignments: lists, the desk, the report page, pending decisions."""
