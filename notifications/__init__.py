"""Sending and receiving messages: outbox, letters, channels, receipts, and incoming replies."""
