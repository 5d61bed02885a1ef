"""The shared frame of the apps: settings, queues, Celery and the SQS library."""
