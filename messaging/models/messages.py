"""Messages in both directions, their contacts and their trail."""

from enum import IntEnum, StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from messaging.identifiers import uuid7
from messaging.models.access import ApiClient
from messaging.models.numbers import BusinessNumber
from messaging.states import choices
from waproject.tracing import TRACEPARENT_LENGTH

# What a row that waits for its recipient's turn carries as its hold.
PAIR = "pair"
# What a row carries whose lost answer only a person can settle.
UNKNOWN = "unknown"

# The types that are no messages of their own: they change or decorate the one of their context_wamid.
ABOUT = ("reaction", "edit", "revoke")

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


PRIORITIES = {member.name.lower(): member for member in Priority}
PRIORITY_NAMES = {member.value: name for name, member in PRIORITIES.items()}


class OnUnknown(StrEnum):
    """What to do when nobody knows whether Meta took a message."""

    # Until a status or the lane's evidence settles it, else a person.
    WAIT = "wait"
    # Send it again soon: a double does less harm than a delay.
    RESEND = "resend"
    # Failed at once; whoever sent it decides.
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
    """Somebody at the other end, known by phone, by business-scoped user id (BSUID), or by both.

    Both belong to a portfolio: another one's users are others. `phone_key` is the number as everybody writes it
    (`recipients.canonical`), `phone` as Meta wrote it last. Someone whose number went to somebody else may lack both.
    """

    portfolio = models.CharField(max_length=64, blank=True)
    phone = models.CharField(max_length=32, null=True, db_index=True)  # noqa: DJ001 - unknown, not empty
    phone_key = models.CharField(max_length=32, null=True)  # noqa: DJ001 - unique, so empty must be NULL
    user_id = models.CharField(max_length=PEER_LENGTH, null=True)  # noqa: DJ001 - likewise
    name = models.CharField(max_length=255, blank=True)
    username = models.CharField(max_length=255, blank=True)
    opted_out_at = models.DateTimeField(null=True, blank=True, help_text="No marketing since then.")
    consent_at = models.DateTimeField(null=True, blank=True, help_text="The last word on marketing.")
    consent_source = models.CharField(max_length=100, blank=True, help_text="Whose: preference, 131050, keyword, …")
    blocked_at = models.DateTimeField(null=True, blank=True, help_text="Stored, but told to nobody; not sent to.")
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phone_key", "portfolio"], name="contact_phone"),
            models.UniqueConstraint(fields=["user_id", "portfolio"], name="contact_user_id"),
        ]

    def __str__(self) -> str:
        return self.name or self.phone or self.user_id or ""


class WhatsAppId(models.Model):
    """Meta's own spelling of a number that we sent to: the `wa_id` of its answer, where it differs from ours.

    `phone` and `peer` are in the form of `recipients.canonical`. Where they differ, the country changed its numbers
    and `peer` is the recipient's number now.
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
    """One message. Its status moves only by `messaging.transitions` and the dispatcher's statements.

    Three times say where an outbound row is, and the indexes ask only these: `due_at` when it may go, `released_at`
    since when it is on its way, `outcome_at` when Meta answered or we gave up. An index with `status` in it would
    make every change of status a non-HOT update. A row with a `hold` is left out of what is due:

        pair            its recipient has another message on its way, or must not get one yet
        unknown         its answer was lost and nothing settles it; a person decides
        campaign:<id>   the Hold of that id, likewise template:<id>
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    direction = models.CharField(max_length=8, choices=directions)
    number = models.ForeignKey(BusinessNumber, models.PROTECT, db_index=False, related_name="messages")
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, db_index=False, related_name="messages"
    )
    # One form for each number (`recipients.canonical`), so that all messages of one person meet.
    peer = models.CharField(max_length=PEER_LENGTH, help_text="The other end: digits of its number, or a user id.")
    sent_to = models.CharField(  # noqa: DJ001 - mostly NULL, which takes no room
        max_length=PEER_LENGTH, null=True, blank=True, help_text="Outbound: the spelling that WhatsApp is given."
    )
    wamid = models.CharField(max_length=WAMID_LENGTH, null=True, blank=True)  # noqa: DJ001 - unique where known
    type = models.CharField(max_length=32)
    # Outbound: the validated `message_data`. Inbound: the node under the type, as Meta sent it.
    content = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    # Which message it replies to, reacts to, edits or revokes.
    context_wamid = models.CharField(max_length=WAMID_LENGTH, blank=True)
    origin = models.CharField(max_length=8, blank=True, help_text="user, echo or history; empty: sent through here.")
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
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not sent after this time.")
    hold = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - the indexes ask for NULL
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Attempts that count against the limit.")
    calls = models.PositiveSmallIntegerField(default=0, help_text="How often a worker took it to send it.")
    error_code = models.IntegerField(null=True, blank=True)
    error_title = models.CharField(max_length=255, blank=True)

    reference = models.CharField(max_length=255, blank=True, help_text="The client's own.")
    campaign = models.CharField(max_length=100, blank=True, help_text="The client's own label; can be held.")
    template = models.CharField(max_length=512, blank=True, help_text="The template's name, where it is one.")

    # Of the request that made it, while traces are on (waproject/tracing): what is done for it later joins its trace.
    traceparent = models.CharField(max_length=TRACEPARENT_LENGTH, null=True, blank=True)  # noqa: DJ001 - no bytes

    on_unknown = models.CharField(max_length=6, default=OnUnknown.WAIT, choices=on_unknown_choices)
    # The end of the attempt whose answer was lost; set while the message is `unknown`.
    unknown_at = models.DateTimeField(null=True, blank=True)
    # Meta took it twice, as far as anybody can tell.
    doubled_at = models.DateTimeField(null=True, blank=True)
    # Meta's cap on marketing for this user (131049) put it off; a second time it fails.
    capped_at = models.DateTimeField(null=True, blank=True)
    # Failed for want of attempts, not for what it is: it goes to the DLQ, and from there can be revived,
    # once per generation.
    exhausted_at = models.DateTimeField(null=True, blank=True)
    dead_lettered_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveSmallIntegerField(default=0)

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
                condition=Q(due_at__isnull=False, released_at__isnull=True, hold__isnull=True),
                name="message_due",
            ),
            # Whose turn is it among those that wait for one recipient?
            models.Index(
                fields=["number", "peer", "priority", "due_at", "id"], condition=Q(hold=PAIR), name="message_parked"
            ),
            models.Index(fields=["hold", "id"], condition=Q(hold__isnull=False), name="message_hold"),
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
            models.Index(fields=["doubled_at"], condition=Q(doubled_at__isnull=False), name="message_doubled"),
            models.Index(fields=["campaign", "id"], condition=~Q(campaign=""), name="message_campaign"),
            models.Index(fields=["reference", "id"], condition=~Q(reference=""), name="message_reference"),
            # How much of a number's throughput its users take up.
            models.Index(
                fields=["created_at", "number"], condition=Q(direction=Direction.INBOUND), name="message_inbound"
            ),
            # A conversation in Meta's order, and when its user last wrote.
            models.Index(fields=["peer", "at", "id"], name="message_talk"),
            # The same of a contact whose number or id changed; outbound rows have none and stay out of it.
            models.Index(fields=["contact", "at", "id"], condition=Q(contact__isnull=False), name="message_contact"),
            # What was said about a message.
            models.Index(fields=["context_wamid"], condition=Q(type__in=ABOUT), name="message_about"),
        ]
        permissions = [("export_message", "Can export messages")]

    def __str__(self) -> str:
        return str(self.id)


class Conversation(Message):
    """Any message of it stands for a conversation: what one business number and one contact wrote to each other."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [("reply_conversation", "Can reply in conversations")]


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
    # Set for Meta's statuses, which come more than once: `<wamid>:<status>`, of a group also `:<participant>`.
    key = models.CharField(max_length=700, null=True, blank=True)  # noqa: DJ001 - unique where set

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["message", "key"], name="event_once")]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"
