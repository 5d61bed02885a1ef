"""Shared by all apps: settings, queues, Celery and the SQS library."""
