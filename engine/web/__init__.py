"""Server-rendered pages; they need no JavaScript and no external resources."""
