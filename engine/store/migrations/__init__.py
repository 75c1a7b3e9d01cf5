"""Schema migrations (Alembic). ``Database.upgrade()`` applies them; ``python -m engine.store.migrations`` writes
them."""
