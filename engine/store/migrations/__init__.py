"""The schema's steps, by Alembic. ``Database.upgrade()`` takes them; ``python -m engine.store.migrations`` writes
them."""
