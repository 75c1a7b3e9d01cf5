"""The operator's files (directory, plan, calendar): reading, checking, comparing and renewing them."""
