"""Short messages: the text that fits, the number that exists, the gateways, their receipts, and answers coming back."""
