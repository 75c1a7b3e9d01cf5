"""From facts to rendered letters: what is said, in which words, how long lists are shortened."""
