"""Celery applications and views that are measured: ours and stock."""
