"""The database: connections, tables, migrations, the event log, and the clock."""
