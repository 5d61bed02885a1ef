"""The age check of webhooks: a message that retention would delete at once is not stored.

Retention deletes a message by the time that Meta gives it, and Meta gives the same time whenever it repeats a webhook.
So a deleted message is recognised without a record of it: it is not stored again, however late Meta repeats it.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def is_beyond_retention(at: datetime | None) -> bool:
    """Whether a message of this time would have been deleted by now. None: Meta gave no time."""
    days = settings.RETENTION_MESSAGES_DAYS
    return bool(days and at is not None and at < timezone.now() - timedelta(days=days))
