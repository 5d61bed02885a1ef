"""Messages in both directions, contacts, attempts and message events."""

from enum import IntEnum, StrEnum

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from messaging.identifiers import uuid7
from messaging.models.access import ApiClient
from messaging.models.name_search import NameGrams
from messaging.models.numbers import BusinessNumber
from messaging.states import choices
from waproject.tracing import TRACEPARENT_LENGTH

# The hold of a message that waits for an earlier message to the same recipient.
PAIR = "pair"
# The hold of a message to a new recipient while the portfolio's messaging limit is used up.
LIMIT = "limit"
# The hold of a message with an unknown outcome that needs an operator's decision.
UNKNOWN = "unknown"
# The hold of an accepted message whose template Meta assesses before it delivers or drops it (pacing). It is the only
# hold of a message that Meta has.
QUALITY = "quality"

# The types that annotate or change the message of their context_wamid.
ANNOTATION_TYPES = ("reaction", "edit", "revoke")

# Meta's samples have about 60 characters, but no maximum is documented.
WAMID_LENGTH = 512
# The largest count that a PositiveSmallIntegerField holds. A message that is tried for days stays there.
MAX_COUNT = 32767
# An E.164 number has 15 digits, a business-scoped user id up to 136 characters ("US.ENT." and 128 more).
PEER_LENGTH = 140


class Direction(StrEnum):
    """Seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Priority(IntEnum):
    """Release priority; the dispatcher releases the lowest value first."""

    HIGH = 0
    NORMAL = 5
    LOW = 9


PRIORITIES = {member.name.lower(): member for member in Priority}
PRIORITY_NAMES = {member.value: name for name, member in PRIORITIES.items()}


class OnUnknown(StrEnum):
    """What to do when it is unknown whether Meta accepted a message."""

    # Wait for a status or evidence of the incoming lane, else for an operator.
    WAIT = "wait"
    # Send again soon: a duplicate does less harm than a delay.
    RESEND = "resend"
    # Fail at once; the client decides.
    FAIL = "fail"


def directions() -> list[tuple[str, str]]:
    """For a model field."""
    return [(direction.value, direction.name.capitalize()) for direction in Direction]


def priorities() -> list[tuple[int, str]]:
    """For a model field."""
    return [(priority.value, priority.name.capitalize()) for priority in Priority]


def on_unknown_choices() -> list[tuple[str, str]]:
    """For a model field."""
    return [(choice.value, choice.name.capitalize()) for choice in OnUnknown]


class Contact(models.Model):
    """A WhatsApp user, known by phone number, by business-scoped user id (BSUID), or by both.

    Both are unique within a business portfolio. `phone_key` is the number in canonical form (`recipients.canonical`),
    `phone` as Meta spelled it last. A contact whose number was reassigned may have neither.
    """

    portfolio = models.CharField(max_length=64, blank=True)
    phone = models.CharField(max_length=32, null=True, db_index=True)  # noqa: DJ001 - unknown, not empty
    phone_key = models.CharField(max_length=32, null=True)  # noqa: DJ001 - unique, so empty must be NULL
    user_id = models.CharField(max_length=PEER_LENGTH, null=True)  # noqa: DJ001 - likewise
    name = models.CharField(max_length=255, blank=True)
    username = models.CharField(max_length=255, blank=True)
    opted_out_at = models.DateTimeField(null=True, blank=True, help_text="No marketing since then.")
    consent_at = models.DateTimeField(null=True, blank=True, help_text="The time of the latest consent change.")
    consent_source = models.CharField(
        max_length=100,
        blank=True,
        help_text="The source of the latest consent change: preference, 131050, keyword or operator.",
    )
    blocked_at = models.DateTimeField(
        null=True, blank=True, help_text="Messages are stored but not delivered to subscribers; nothing is sent."
    )
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phone_key", "portfolio"], name="contact_phone"),
            models.UniqueConstraint(fields=["user_id", "portfolio"], name="contact_user_id"),
        ]
        permissions = [("erase_contact", "Can erase everything of a person")]
        # GIN finds a part of a name by its substrings (conversations/name_search.py).
        indexes = [GinIndex(NameGrams("name"), NameGrams("username"), name="contact_name_grams")]

    def __str__(self) -> str:
        return self.name or self.phone or self.user_id or ""


class WhatsAppId(models.Model):
    """Meta's spelling of a number that we sent to: the `wa_id` of its answer, if it differs from ours.

    `phone` and `peer` are in canonical form (`recipients.canonical`). If they differ, the country changed its numbering
    plan and `peer` is the recipient's new number.
    """

    phone = models.CharField(max_length=PEER_LENGTH, primary_key=True)
    wa_id = models.CharField(max_length=PEER_LENGTH)
    peer = models.CharField(max_length=PEER_LENGTH, db_index=True)
    learned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "WhatsApp id"

    def __str__(self) -> str:
        return f"WhatsApp id of {self.peer}"


class Message(models.Model):
    """One message. Only `lifecycle.transitions` and the statements of release and claim change its status.

    Three times locate an outbound row, and the indexes use only these: `due_at` (when it may be released),
    `released_at` (when it was released), `outcome_at` (when Meta answered or we gave up). An index on `status` would
    make every status change a non-HOT update. A row with a `hold` is not due:

        pair            an earlier message to the recipient is in flight, or the pair limit is reached
        unknown         its outcome is unknown; an operator decides
        limit:<number>:<priority>   the portfolio's messaging limit is used up
        campaign:<id>   the Hold of that id, likewise template:<id> and budget:<id>
        quality         Meta has accepted it and assesses its template's quality first; each later status ends this
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    direction = models.CharField(max_length=8, choices=directions)
    number = models.ForeignKey(BusinessNumber, models.PROTECT, db_index=False, related_name="messages")
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, db_index=False, related_name="messages"
    )
    # In canonical form (`recipients.canonical`), so that all messages of one number have the same peer.
    peer = models.CharField(max_length=PEER_LENGTH, help_text="The user's phone number in digits, or user id.")
    sent_to = models.CharField(  # noqa: DJ001 - mostly NULL, which takes no space
        max_length=PEER_LENGTH, null=True, blank=True, help_text="Outbound: the spelling sent to WhatsApp."
    )
    wamid = models.CharField(max_length=WAMID_LENGTH, null=True, blank=True)  # noqa: DJ001 - unique where known
    type = models.CharField(max_length=32)
    # Outbound: the validated `message_data`. Inbound: the node under the type, as Meta sent it.
    content = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    # The message that this one replies to, reacts to, edits or revokes.
    context_wamid = models.CharField(max_length=WAMID_LENGTH, blank=True)
    origin = models.CharField(max_length=8, blank=True, help_text="user, echo or history; empty: sent through here.")
    raw = models.JSONField(null=True, blank=True, help_text="Inbound: the piece of the webhook.")
    # When content, text and raw were deleted: by retention, or with the person.
    content_deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
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
    # When its call may start: calls of a number are evenly spaced.
    call_at = models.DateTimeField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not sent after this time.")
    hold = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - the indexes ask for NULL
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Attempts that count against the limit.")
    calls = models.PositiveSmallIntegerField(default=0, help_text="How often a worker claimed it.")
    error_code = models.IntegerField(null=True, blank=True)
    error_title = models.CharField(max_length=255, blank=True)

    reference = models.CharField(max_length=255, blank=True, help_text="The client's own id.")
    campaign = models.CharField(max_length=100, blank=True, help_text="The client's own label; can be held.")
    template = models.CharField(max_length=512, blank=True, help_text="The template's name; empty for other types.")

    # Of the request that made it, while traces are on (waproject/tracing): what is done for it later joins its trace.
    traceparent = models.CharField(max_length=TRACEPARENT_LENGTH, null=True, blank=True)  # noqa: DJ001 - no bytes

    on_unknown = models.CharField(max_length=6, default=OnUnknown.WAIT, choices=on_unknown_choices)
    # The end of the attempt whose answer was lost; set while the message is `unknown`.
    unknown_at = models.DateTimeField(null=True, blank=True)
    # When we found that Meta had accepted the message twice.
    duplicate_found_at = models.DateTimeField(null=True, blank=True, db_column="doubled_at")
    # When Meta's marketing limit for this user (131049) postponed it; a second time it fails.
    capped_at = models.DateTimeField(null=True, blank=True)
    # When it failed after its last attempt: it goes to the DLQ and can be redriven from there, once per generation.
    exhausted_at = models.DateTimeField(null=True, blank=True)
    dead_lettered_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveSmallIntegerField(default=0)

    # What Meta bills it as, by the furthest status that says so; NULL: none has yet.
    priced_by = models.CharField(max_length=10, null=True, blank=True)  # noqa: DJ001 - not said, not empty
    billable = models.BooleanField(null=True, blank=True)
    pricing_model = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001 - likewise
    pricing_type = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - likewise
    pricing_category = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - likewise

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["wamid"], condition=Q(wamid__isnull=False), name="message_wamid"),
            # At most one message to a recipient is in flight, so that messages arrive in the order of acceptance.
            models.UniqueConstraint(
                fields=["number", "peer"],
                condition=Q(released_at__isnull=False, outcome_at__isnull=True),
                name="message_in_flight",
            ),
        ]
        indexes = [
            models.Index(
                F("number"),
                F("priority"),
                Coalesce("client", 0),
                F("due_at"),
                F("id"),
                condition=Q(due_at__isnull=False, released_at__isnull=True, hold__isnull=True),
                name="message_due_by_client",
            ),
            # The next message of those that wait for one recipient.
            models.Index(
                fields=["number", "peer", "priority", "due_at", "id"], condition=Q(hold=PAIR), name="message_parked"
            ),
            models.Index(fields=["hold", "id"], condition=Q(hold__isnull=False), name="message_hold"),
            # Clients share a messaging limit fairly.
            models.Index(
                F("hold"),
                Coalesce("client", 0),
                F("id"),
                condition=Q(hold__startswith=f"{LIMIT}:"),
                name="message_limit_by_client",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False, outcome_at__isnull=True),
                name="message_expires",
            ),
            models.Index(fields=["unknown_at"], condition=Q(unknown_at__isnull=False), name="message_unknown"),
            models.Index(
                fields=["exhausted_at"],
                condition=Q(exhausted_at__isnull=False, dead_lettered_at__isnull=True),
                name="message_exhausted",
            ),
            models.Index(
                fields=["duplicate_found_at"], condition=Q(duplicate_found_at__isnull=False), name="message_doubled"
            ),
            models.Index(fields=["campaign", "id"], condition=~Q(campaign=""), name="message_campaign"),
            models.Index(fields=["reference", "id"], condition=~Q(reference=""), name="message_reference"),
            # The share of a number's throughput that inbound messages use.
            models.Index(
                fields=["created_at", "number"], condition=Q(direction=Direction.INBOUND), name="message_inbound"
            ),
            # A conversation in Meta's order, and its last inbound message.
            models.Index(fields=["peer", "at", "id"], name="message_talk"),
            # The same for a contact whose number or user id changed; outbound rows have no contact.
            models.Index(fields=["contact", "at", "id"], condition=Q(contact__isnull=False), name="message_contact"),
            # The annotations of a message.
            models.Index(fields=["context_wamid"], condition=Q(type__in=ANNOTATION_TYPES), name="message_about"),
        ]
        permissions = [("export_message", "Can export messages")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def can_be_sent_again(self) -> bool:
        """Whether it was sent through here, and its content is still stored."""
        return not self.origin and self.content_deleted_at is None


class Conversation(Message):
    """A conversation between one business number and one contact, identified by any of its messages."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [("reply_conversation", "Can reply in conversations")]


class Attempt(models.Model):
    """One Cloud API call of a message, and its outcome."""

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
    """A status change of a message, or a status that changed nothing. Never altered."""

    # The index of the unique constraint below begins with the message.
    message = models.ForeignKey(Message, models.CASCADE, related_name="events", db_index=False)
    status = models.CharField(max_length=10)
    # Meta's time for statuses of Meta, else ours.
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now, db_default=Now())
    source = models.CharField(max_length=12)
    # False: it came too late to change the status, e.g. `sent` after `delivered`.
    applied = models.BooleanField(default=True, db_default=True)
    error_code = models.IntegerField(null=True, blank=True)
    error_title = models.CharField(max_length=255, blank=True, db_default="")
    # Set for Meta's statuses, which may repeat: `<wamid>:<status>`, in groups also `:<participant>`.
    key = models.CharField(max_length=700, null=True, blank=True)  # noqa: DJ001 - unique where set

    # The `pricing` of Meta's status, as Meta gave it; NULL where it had none.
    billable = models.BooleanField(null=True, blank=True)
    pricing_model = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001 - not said, not empty
    pricing_type = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - likewise
    pricing_category = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - likewise

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["message", "key"], name="event_once")]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"
