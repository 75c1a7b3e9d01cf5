"""The thread between an owner, the department above it and the coordinating agencies."""
