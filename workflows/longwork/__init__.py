"""Work that takes long, as deployments of Prefect with parameters; and pages that follow it where workers are."""
