"""Pages of one's own: signing in, the account, preferences, and the links in letters."""
