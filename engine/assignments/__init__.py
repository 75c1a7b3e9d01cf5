"""Assignments: opening, escalation, reports, the outbox. The only writer of an assignment's state."""
