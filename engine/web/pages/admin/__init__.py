"""The administration's pages: whoever keeps the directory, accounts, rules and the log works here."""
