"""Administration beyond single records: policies, settings, published figures, the daily cleanup."""
