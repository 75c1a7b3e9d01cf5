"""Passes, Prefect flows, heartbeat and the composition root."""
