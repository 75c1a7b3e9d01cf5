"""Who may sign in and do what: accounts, permissions, sign-in, API tokens, signed links, rate limits."""
