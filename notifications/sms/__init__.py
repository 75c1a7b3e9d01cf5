"""SMS: text length, phone numbers, gateways, delivery receipts and replies."""
