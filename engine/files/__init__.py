"""The files an office writes: directory, plan, calendar; how they are read, checked, compared and renewed."""
