"""Pages for people, rendered on the server; they need no JavaScript and nothing from outside."""
