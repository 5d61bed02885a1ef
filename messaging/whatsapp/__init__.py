"""A library for Meta's Cloud API: sends, media, webhooks, errors. No Django, no Celery."""
