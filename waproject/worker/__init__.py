"""Shared parts of Celery workers: configuration, pool, liveness, shutdown."""
