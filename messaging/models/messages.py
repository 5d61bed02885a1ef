"""Messages in both directions, the contacts at the other end, and the trail of what happened to each message."""

from enum import IntEnum, StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from messaging.identifiers import uuid7
from messaging.models.access import ApiClient
from messaging.models.numbers import BusinessNumber
from messaging.states import choices

# Meta's samples are near 60 characters; nothing promises that they stay so.
WAMID_LENGTH = 512
# An E.164 number has 15 digits, a business-scoped user id up to 136 characters ("US.ENT." and 128 more).
PEER_LENGTH = 140


class Direction(StrEnum):
    """Seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Priority(IntEnum):
    """The dispatcher releases the lowest number first."""

    HIGH = 0
    NORMAL = 5
    LOW = 9


def directions() -> list[tuple[str, str]]:
    """For a model field."""
    return [(direction.value, direction.name.capitalize()) for direction in Direction]


def priorities() -> list[tuple[int, str]]:
    """For a model field."""
    return [(priority.value, priority.name.capitalize()) for priority in Priority]


class Contact(models.Model):
    """Somebody at the other end, known by phone, by business-scoped user id, or by both."""

    phone = models.CharField(max_length=32, null=True, unique=True)  # noqa: DJ001 - unique, so empty must be NULL
    user_id = models.CharField(max_length=PEER_LENGTH, null=True, unique=True)  # noqa: DJ001 - likewise
    name = models.CharField(max_length=255, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(phone__isnull=False) | Q(user_id__isnull=False), name="contact_has_id")
        ]

    def __str__(self) -> str:
        return self.name or self.phone or self.user_id or ""


class Message(models.Model):
    """One message. Its status moves only by `messaging.transitions` and the dispatcher's statements.

    Three times say where an outbound row is, and the indexes ask only these: `due_at` when it may go, `released_at`
    since when it is on its way, `outcome_at` when Meta answered or we gave up. An index with `status` in it would
    make every change of status a non-HOT update.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    direction = models.CharField(max_length=8, choices=directions)
    number = models.ForeignKey(BusinessNumber, models.PROTECT, db_index=False, related_name="messages")
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="messages")
    peer = models.CharField(max_length=PEER_LENGTH, help_text="The other end: digits of its number, or a user id.")
    wamid = models.CharField(max_length=WAMID_LENGTH, null=True, blank=True)  # noqa: DJ001 - unique where known
    type = models.CharField(max_length=32)
    # Outbound: the validated `message_data`. Inbound: the node under the type, as Meta sent it.
    content = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    raw = models.JSONField(null=True, blank=True, help_text="Inbound: the piece of the webhook.")
    status = models.CharField(max_length=10, choices=choices)
    # Meta's time of an inbound message, ours of an outbound one.
    at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    client = models.ForeignKey(ApiClient, models.SET_NULL, null=True, blank=True, db_index=False)
    priority = models.SmallIntegerField(default=Priority.NORMAL, choices=priorities)
    due_at = models.DateTimeField(null=True, blank=True)
    release_id = models.UUIDField(null=True, blank=True)
    releases = models.PositiveSmallIntegerField(default=0)
    released_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.IntegerField(null=True, blank=True)
    error_title = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["wamid"], condition=Q(wamid__isnull=False), name="message_wamid"),
            # At most one message to a recipient is on its way, so that messages arrive in the order they were
            # accepted; the database itself holds this.
            models.UniqueConstraint(
                fields=["number", "peer"],
                condition=Q(released_at__isnull=False, outcome_at__isnull=True),
                name="message_in_flight",
            ),
        ]
        indexes = [
            models.Index(
                fields=["number", "priority", "due_at", "id"],
                condition=Q(due_at__isnull=False, released_at__isnull=True),
                name="message_due",
            ),
            # Is an earlier message to the same recipient still waiting?
            models.Index(
                fields=["number", "peer"],
                condition=Q(due_at__isnull=False, released_at__isnull=True),
                name="message_due_peer",
            ),
            models.Index(fields=["peer", "id"], name="message_peer"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Attempt(models.Model):
    """One call of the Cloud API for a message, and what came of it."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attempt_set")
    n = models.PositiveSmallIntegerField()
    wamid = models.CharField(max_length=WAMID_LENGTH, null=True, blank=True)  # noqa: DJ001 - unique where known
    outcome = models.CharField(max_length=20)
    error_code = models.IntegerField(null=True, blank=True)
    error_title = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["wamid"], condition=Q(wamid__isnull=False), name="attempt_wamid")]

    def __str__(self) -> str:
        return f"attempt {self.n} of {self.message_id}"


class MessageEvent(models.Model):
    """One thing that happened to a message: a change of status, or evidence that changed nothing. Never altered."""

    # The unique constraint below begins with the message, and is its index.
    message = models.ForeignKey(Message, models.CASCADE, related_name="events", db_index=False)
    status = models.CharField(max_length=10)
    # When it happened: Meta's time where Meta told us.
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now, db_default=Now())
    source = models.CharField(max_length=12)
    # False: evidence that came late, e.g. `sent` after `delivered`.
    applied = models.BooleanField(default=True, db_default=True)
    error_code = models.IntegerField(null=True, blank=True)
    error_title = models.CharField(max_length=255, blank=True, db_default="")
    # Set for Meta's statuses, which come more than once: `<wamid>:<status>`.
    key = models.CharField(max_length=600, null=True, blank=True)  # noqa: DJ001 - unique where set

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["message", "key"], name="event_once")]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"
