"""The frame that the apps share: settings, the queue table, Celery and the SQS library."""

from waproject.celery import app as celery_app

__all__ = ["celery_app"]
