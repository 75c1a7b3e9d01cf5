"""What an operator can change: the settings and the data files in this package. Imports none of the other packages."""

from pathlib import Path


class SettingsRefused(ValueError):
    """Invalid settings; the message has one line per error: name and reason."""


DATA = Path(__file__).parent
"""The folder of the plans, agencies, calendars and policies that ship with the product."""
