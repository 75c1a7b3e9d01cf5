"""From database rows to rendered letters: facts, templates, shortened lists."""
