"""The command line of the engine: plans, assignments, accounts."""
