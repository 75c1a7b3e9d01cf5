"""Queries about the running system: health, letters, channels, the log, calendar and policies."""
