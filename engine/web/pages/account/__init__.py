"""Personal pages: sign-in, account, preferences, and the pages behind links in letters."""
