"""What hangs on the rooms and nobody below imports: a folder each with its queries, actions, pages, operations, command
and templates, or one module. A feature imports no other; the application puts them together."""
