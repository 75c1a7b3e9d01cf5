"""Pages of the daily work: assignments, the desk, reports, extensions, the overdue list."""
