"""Read-only queries behind pages and API: Core rows into frozen dataclasses, a constant number of queries per page."""
