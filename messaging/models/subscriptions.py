"""Subscriptions and their deliveries."""

from enum import StrEnum
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils import timezone

from messaging.identifiers import uuid7
from messaging.models.access import ApiClient
from messaging.models.messages import Message
from messaging.models.numbers import BusinessNumber
from messaging.subscriber_http.retry_schedule import State
from messaging.subscriber_http.ssrf_guard import URL_LENGTH

# The parallel lanes of a subscription; deliveries about one person share a lane and keep their order.
LANES = 8
DESCRIPTION_LENGTH = 200


class EventType(StrEnum):
    """The event types of subscriptions, and the test event."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_MEDIA = "message.media"
    MESSAGE_STATUS_CHANGED = "message.status_changed"
    ACCOUNT_EVENT = "account.event"
    TEST = "subscription.test"


SUBSCRIBABLE = tuple(kind for kind in EventType if kind is not EventType.TEST)


def all_events() -> list[str]:
    """All event types, the default of a subscription."""
    return [kind.value for kind in SUBSCRIBABLE]


def delivery_states() -> list[tuple[str, str]]:
    """For a model field."""
    return [(state.value, state.name.capitalize()) for state in State]


class Subscription(models.Model):
    """An endpoint and its event types. A deleted one stays hidden until its deliveries have been deleted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(
        ApiClient, models.CASCADE, null=True, blank=True, help_text="Empty: a subscription of the operators."
    )
    description = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    url = models.CharField("URL", max_length=URL_LENGTH)
    events = models.JSONField(default=all_events)
    number = models.ForeignKey(
        BusinessNumber,
        models.PROTECT,
        null=True,
        blank=True,
        help_text="Only events of this number; empty: of all numbers.",
    )
    # Signing needs the secrets themselves, so they are not hashed. They are shown once.
    secret = models.CharField(max_length=100, editable=False)
    previous_secret = models.CharField(max_length=100, blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    active = models.BooleanField(default=True)
    # Set when the pipeline disabled the subscription; empty if a person did.
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_why = models.CharField(max_length=300, blank=True, editable=False)
    # Endpoint health: consecutive failures, since when, and the end of its pause.
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Of the latest failed delivery. A success keeps it: `failures` says whether the endpoint still fails.
    last_error = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    last_error_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.description or urlsplit(self.url)._replace(query="", fragment="").geturl() or str(self.id)


class Delivery(models.Model):
    """One event for one subscription, its state and its attempts. Its id is the `webhook-id`.

    The payload is built from the referenced rows at each attempt, so no text is stored twice. The references have no
    database constraint: the lanes insert deliveries, and must not fail when a subscription is deleted.
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
    # Identifies the last claim; once it has passed, any process may claim the row.
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since its creation or its last replay.")
    finished_at = models.DateTimeField(null=True)
    # Of the last attempt.
    status_code = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    log = models.JSONField(default=list, help_text="The latest 50 attempts: at, status_code, duration_ms, error.")

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
