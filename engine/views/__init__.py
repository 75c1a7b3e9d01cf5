"""Presentation of query results: labels, event sentences, charts, Prometheus metrics."""
