"""Our state as Prefect shows it: a run for each open assignment, events, a table for each plan. A picture: it may be
deleted and made again, and nothing waits for it. Imports nothing of Prefect; its API is asked over HTTP."""
