"""Queries about agencies and accounts."""
