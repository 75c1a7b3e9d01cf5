"""The JSON API: the same queries and actions as the pages. Errors are problem+json (RFC 9457)."""
