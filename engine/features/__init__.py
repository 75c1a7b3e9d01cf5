"""What hangs on the rooms and nobody below imports: a folder each with its queries, actions, pages, operations,
command and templates. A feature imports no other; the application puts them together."""
