"""Simulated time: the demo, simulated years, and scenarios of how agencies behave."""
