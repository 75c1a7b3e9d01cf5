"""Middleware and checks in front of the pages: accepted hosts, limits, waiting pages."""
