"""Letters over SMTP or into a Maildir: messages, connections, addresses, bounces."""
