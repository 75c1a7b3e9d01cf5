"""What an operator does with an installation: examine it, try its channels, back it up, restore it."""
