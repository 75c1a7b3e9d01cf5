"""Backup, audit and digests as deployments of Prefect."""
