"""What people read, made of what queries return: labels, event sentences, charts, Prometheus metrics."""
