"""The rules: calendar, periods, reminder policy, private life. Pure: no session, no clock, no settings."""
