"""Search over agencies, plans, duties."""
