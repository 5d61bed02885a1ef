"""Events are found by time, by the client's id, by contact and by reference."""

from django.db import migrations, models
from django.db.models import Q

from waproject.resumable_migrations import AddIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0002_events_of_clients")]

    operations = [
        AddIndex("event", models.Index(fields=["occurred_at", "id"], name="event_time")),
        AddIndex("event", models.Index(fields=["event_id"], condition=~Q(event_id=""), name="event_client_id")),
        AddIndex("event", models.Index(fields=["contact", "occurred_at"], condition=~Q(contact=""), name="event_contact")),
        AddIndex("event", models.Index(fields=["reference", "occurred_at"], condition=~Q(reference=""), name="event_reference")),
    ]
