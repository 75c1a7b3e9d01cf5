"""One module a page or two: parse, authorise, one deed or one query, render."""
