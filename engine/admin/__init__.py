"""What an administrator does beyond single records: policies, settings, published figures, the daily cleanup."""
