"""Webhooks: what other systems subscribe to. Messages are sent by ``notifications.webhooks``."""
