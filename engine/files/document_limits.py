"""How much a plan document may be. A plan of a thousand pages is 3 MB of text."""

MAX_DOCUMENT_BYTES = 25_000_000
MAX_DOCUMENT_CHARS = 4_000_000
