"""The frame that the apps share: settings, the queue table, Celery and the SQS library."""
