"""Calendar feeds of due dates (RFC 5545)."""
