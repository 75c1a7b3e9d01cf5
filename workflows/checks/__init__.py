"""The self-audit and what it looks at, and the repair of what can be computed again."""
