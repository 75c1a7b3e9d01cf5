"""What ``serve`` and ``dondoc once`` run, on the heartbeat: each pass, the tick, the projector of Prefect."""
