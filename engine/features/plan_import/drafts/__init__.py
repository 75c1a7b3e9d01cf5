"""Plan documents under review: what was read, every correction, and the plan that comes of it."""
