"""Events are found by time, by the client's id, by contact and by reference."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0002_events_of_clients")]

    operations = [
        AddIndexConcurrently("event", models.Index(fields=["occurred_at", "id"], name="event_time")),
        AddIndexConcurrently("event", models.Index(fields=["event_id"], condition=~Q(event_id=""), name="event_client_id")),
        AddIndexConcurrently("event", models.Index(fields=["contact", "occurred_at"], condition=~Q(contact=""), name="event_contact")),
        AddIndexConcurrently("event", models.Index(fields=["reference", "occurred_at"], condition=~Q(reference=""), name="event_reference")),
    ]
