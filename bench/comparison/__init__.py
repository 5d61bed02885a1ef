"""Measurements of one part, ours and stock Celery's in the same run; `apps/` holds the programs that are measured."""
