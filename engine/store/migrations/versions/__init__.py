"""One file a step, numbered in order. A released step is never edited."""
