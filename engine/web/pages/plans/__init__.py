"""Pages about plans: the plan, its import, activation, amendments and figures."""
