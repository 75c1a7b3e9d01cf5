"""The JSON API: the same queries and deeds as the pages, for programs. Errors are problem+json (RFC 9457)."""
