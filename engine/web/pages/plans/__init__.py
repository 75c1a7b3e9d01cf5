"""Pages about plans: the plan, import, activation, amendments and figures."""
