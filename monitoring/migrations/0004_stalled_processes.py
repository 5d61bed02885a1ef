"""Heartbeats of processes that run, but whose work does not move."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0003_dead_letters")]

    operations = [
        migrations.AddField("heartbeat", "stalled_since", models.DateTimeField(blank=True, null=True)),
    ]
