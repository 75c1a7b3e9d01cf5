"""The rules: calendar, periods, reminder policy, personal data. Pure: no session, no clock, no settings."""
