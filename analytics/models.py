"""Events, each stored once."""

from django.db import models
from django.utils import timezone

from messaging.identifiers import uuid7

EVENT_TYPE_LENGTH = 100


class Event(models.Model):
    """Something that happened: told by a client (`source` api or python) or by the pipeline itself (pipeline)."""

    # Chosen where the event is made, so that a task that runs twice stores it once.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_type = models.CharField(max_length=EVENT_TYPE_LENGTH)
    data = models.JSONField(default=dict)
    source = models.CharField(max_length=12)
    client_name = models.CharField(max_length=100, blank=True)
    occurred_at = models.DateTimeField()
    stored_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-occurred_at", "-id"]
        indexes = [models.Index(fields=["event_type", "occurred_at"], name="event_type_time")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"


class Cursor(models.Model):
    """How far the sweep has read messaging's MessageEvent rows. One row."""

    name = models.CharField(max_length=50, primary_key=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"
