"""One module per page or two. An endpoint parses, authorises, runs one action or query, and renders."""
