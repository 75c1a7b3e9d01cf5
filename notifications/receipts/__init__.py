"""The outcome of letters after sending, and the actions that follow from it."""
