"""Subscriptions and their deliveries."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.utils import timezone

from messaging.identifiers import uuid7
from messaging.models.access import ApiClient
from messaging.models.messages import Message
from messaging.models.numbers import BusinessNumber
from messaging.subscriber_http.retry_schedule import State
from messaging.subscriber_http.ssrf_guard import URL_LENGTH

# Deliveries of a subscription are made side by side in so many lanes; those about one person share a lane and follow
# each other.
LANES = 8
DESCRIPTION_LENGTH = 200


class EventType(StrEnum):
    """What can be subscribed to, and the test that anybody may ask for."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_MEDIA = "message.media"
    MESSAGE_STATUS_CHANGED = "message.status_changed"
    ACCOUNT_EVENT = "account.event"
    TEST = "subscription.test"


SUBSCRIBABLE = tuple(kind for kind in EventType if kind is not EventType.TEST)


def all_events() -> list[str]:
    """The default of a subscription."""
    return [kind.value for kind in SUBSCRIBABLE]


def delivery_states() -> list[tuple[str, str]]:
    """For a model field."""
    return [(state.value, state.name.capitalize()) for state in State]


class Subscription(models.Model):
    """An endpoint and what it is told. Deleted ones stay hidden until their deliveries are cleared away."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(ApiClient, models.CASCADE, null=True, blank=True, help_text="Empty: the operators'.")
    description = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    url = models.CharField("URL", max_length=URL_LENGTH)
    events = models.JSONField(default=all_events)
    number = models.ForeignKey(
        BusinessNumber, models.PROTECT, null=True, blank=True, help_text="Only what concerns this number; empty: all."
    )
    # Whoever verifies needs them as they are, so a hash will not do. They are shown once and never again.
    secret = models.CharField(max_length=100, editable=False)
    previous_secret = models.CharField(max_length=100, blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    active = models.BooleanField(default=True)
    # Set where the pipeline switched it off; somebody who switches it off leaves them empty.
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_why = models.CharField(max_length=300, blank=True, editable=False)
    # How the endpoint fares: failures in a row, since when, and until when it is left alone.
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Of the latest delivery that failed; a success keeps it, `failures` tells whether it still counts.
    last_error = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    last_error_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.description or str(self.id)


class Delivery(models.Model):
    """One event for one subscription: where it is, and every try. Its id is the `webhook-id`.

    What it tells is read from the rows that it names when it is sent, so no text is kept twice. Those are no foreign
    keys to the database: the lanes write these rows, and must not fail because somebody deletes a subscription.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subscription = models.ForeignKey(
        Subscription, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="deliveries"
    )
    event = models.CharField(max_length=40)
    message = models.ForeignKey(Message, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    message_event_id = models.BigIntegerField(null=True)
    account_event_id = models.BigIntegerField(null=True)
    lane = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=9, default=State.PENDING, choices=delivery_states)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    # Who made the last claim knows this time; when it is over, anybody may claim again.
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it began, or was replayed.")
    finished_at = models.DateTimeField(null=True)
    # Of the last try.
    status_code = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    log = models.JSONField(default=list, help_text="The latest 50 tries: at, status_code, duration_ms, error.")

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["subscription", "lane", "due_at", "id"],
                name="delivery_due",
                condition=Q(finished_at__isnull=True),
            ),
            models.Index(
                fields=["subscription"],
                name="delivery_leased",
                condition=Q(finished_at__isnull=True, lease_until__isnull=False),
            ),
            models.Index(fields=["subscription", "-id"], name="delivery_log"),
            models.Index(fields=["state", "finished_at"], name="delivery_over", condition=Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"
