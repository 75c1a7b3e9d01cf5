"""Passes, Prefect flows, heartbeat, simulation, root command and the composition root."""
