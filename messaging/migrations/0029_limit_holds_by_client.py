from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from waproject.resumable_migrations import AddIndex


class Migration(migrations.Migration):
    """Messages that wait for a messaging limit by client, so that clients share the limit fairly."""

    atomic = False
    dependencies = [("messaging", "0028_released_at")]

    operations = [
        AddIndex(
            "message",
            models.Index(
                F("hold"),
                Coalesce("client", 0),
                F("id"),
                condition=Q(hold__startswith="limit:"),
                name="message_limit_by_client",
            ),
        ),
    ]
