"""The directory in the database: agencies, contacts, their notification preferences and calendar feeds."""
