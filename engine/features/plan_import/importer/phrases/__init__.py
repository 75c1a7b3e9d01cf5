"""Recognises the phrases of a plan: marks, names of agencies, roles, deadlines."""
