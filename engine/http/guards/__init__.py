"""What stands before the pages: accepted hosts, limits, and the log of what was refused."""
