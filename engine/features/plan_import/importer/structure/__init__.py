"""Joins lines into paragraphs and builds the tree of the document: head, sections, duty tables."""
