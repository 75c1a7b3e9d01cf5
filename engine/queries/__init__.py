"""What people look at: read only, Core rows into frozen dataclasses, a constant number of queries a page."""
