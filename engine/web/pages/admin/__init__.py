"""Administration pages: directory, accounts, rules and the log."""
