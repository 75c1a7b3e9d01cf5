"""The thread of an agency's work: difficulties, questions, answers."""
