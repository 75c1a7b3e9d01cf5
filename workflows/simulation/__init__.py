"""Time that has not passed: the demonstration, simulated years, how agencies behave in them."""
