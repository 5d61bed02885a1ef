"""A library about Meta's Cloud API: what is sent, what comes back, what it means. No Django, no Celery."""
