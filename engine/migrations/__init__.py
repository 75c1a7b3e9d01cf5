"""The schema's steps, by Alembic. ``Database.upgrade()`` takes them; ``python -m engine.migrations`` writes them."""
