"""What is owed and what becomes of it: opening, escalation, reports, the outbox. Writes the state of assignments."""
