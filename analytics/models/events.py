"""Events of clients, each stored once."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from messaging.identifiers import uuid7

EVENT_TYPE_LENGTH = 100
EVENT_ID_LENGTH = 200
# An E.164 number has 15 digits, a business-scoped user id up to 136 characters.
CONTACT_LENGTH = 140
REFERENCE_LENGTH = 255


class Event(models.Model):
    """Something that happened, as a client reports it: by the API (`source` api) or from Python (python).

    What happens to messages is not here: that is messaging's trail (`MessageEvent`).
    """

    # Made from the client's `event_id` where there is one (`event_ids.py`), so that a repetition is stored once.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_id = models.CharField(max_length=EVENT_ID_LENGTH, blank=True, db_default="", help_text="The client's own.")
    event_type = models.CharField(max_length=EVENT_TYPE_LENGTH)
    data = models.JSONField(default=dict)
    source = models.CharField(max_length=12)
    client_name = models.CharField(max_length=100, blank=True)
    # In the form of `Message.peer`, so that events and messages of one person meet.
    contact = models.CharField(
        max_length=CONTACT_LENGTH, blank=True, db_default="", help_text="The person: digits of a number, or a user id."
    )
    reference = models.CharField(max_length=REFERENCE_LENGTH, blank=True, db_default="")
    occurred_at = models.DateTimeField()
    stored_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ["-occurred_at", "-id"]
        indexes = [
            models.Index(fields=["event_type", "occurred_at"], name="event_type_time"),
            models.Index(fields=["occurred_at", "id"], name="event_time"),
            models.Index(fields=["event_id"], condition=~Q(event_id=""), name="event_client_id"),
            models.Index(fields=["contact", "occurred_at"], condition=~Q(contact=""), name="event_contact"),
            models.Index(fields=["reference", "occurred_at"], condition=~Q(reference=""), name="event_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"
