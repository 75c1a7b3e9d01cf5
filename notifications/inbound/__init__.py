"""Incoming messages: replies by e-mail and SMS, and callbacks from gateways."""
