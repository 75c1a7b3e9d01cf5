"""What the audit looks at: rows, the log, the machine. It imports nothing else of the workflows."""
