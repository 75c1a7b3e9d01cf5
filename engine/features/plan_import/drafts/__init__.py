"""Plan documents under review: what was read, every correction, and the resulting plan."""
