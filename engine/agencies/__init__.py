"""The directory as it is kept: agencies, contacts, their preferences and calendar feeds."""
