"""What an operator may change: settings and the data files beside them. Imports nothing of ours."""

from pathlib import Path

DATA = Path(__file__).parent
"""Where the plans, agencies, calendars and policies that ship with the product are."""
