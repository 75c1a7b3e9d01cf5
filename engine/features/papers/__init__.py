"""Official papers as .docx (Decree 30/2020/NĐ-CP): pure facts in, a document out. Nothing is issued here: a person
signs, the registry numbers."""
