"""Outbox to letters to channels to receipts, and answers coming back."""
