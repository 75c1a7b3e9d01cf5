"""What comes back: answers by e-mail and SMS, and calls of gateways."""
