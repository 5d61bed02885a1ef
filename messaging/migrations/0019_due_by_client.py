from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from waproject.resumable_migrations import AddIndex, RemoveIndex


class Migration(migrations.Migration):
    """Due messages by client, so that clients share the pace of a number fairly."""

    atomic = False
    dependencies = [("messaging", "0018_pair_burst")]

    operations = [
        AddIndex(
            "message",
            models.Index(
                F("number"),
                F("priority"),
                Coalesce("client", 0),
                F("due_at"),
                F("id"),
                condition=Q(due_at__isnull=False, released_at__isnull=True, hold__isnull=True),
                name="message_due_by_client",
            ),
        ),
        RemoveIndex("message", "message_due"),
    ]
