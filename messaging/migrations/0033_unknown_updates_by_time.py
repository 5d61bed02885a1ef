from django.db import migrations, models

from waproject.resumable_migrations import AddIndex


class Migration(migrations.Migration):
    """Unknown updates by when they were last seen, so that retention finds the old ones."""

    atomic = False
    dependencies = [("messaging", "0032_open_recipients")]

    operations = [
        AddIndex("unknownupdate", models.Index(fields=["last_seen_at"], name="unknown_update_last_seen")),
    ]
