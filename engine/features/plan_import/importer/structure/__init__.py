"""Lines into paragraphs, paragraphs into the tree of the document: head, sections, duty tables."""
