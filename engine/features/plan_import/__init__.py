"""A plan document becomes a plan: ``importer`` reads it, ``drafts`` keeps it under review, the pages correct it."""
