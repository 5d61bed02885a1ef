"""State of the outgoing lane apart from messages: holds, pair limits, marks of the incoming lane."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from messaging.models.access import ApiClient
from messaging.models.messages import PEER_LENGTH
from messaging.models.numbers import BusinessNumber


class HoldKind(StrEnum):
    """What a hold can stop. A whole number is paused by its `paused_at`."""

    CAMPAIGN = "campaign"
    TEMPLATE = "template"
    # Of a client, a campaign or both, when their budget is spent; set and resumed by analytics alone.
    BUDGET = "budget"


def hold_kinds() -> list[tuple[str, str]]:
    """For a model field."""
    return [(kind.value, kind.name.capitalize()) for kind in HoldKind]


class Hold(models.Model):
    """A hold on a campaign, a template or a spent budget: its messages wait until it is resumed or `until` has passed.

    The dispatcher sets `mark` on the due messages that it finds, and removes it in batches after `resumed_at`.
    """

    kind = models.CharField(max_length=10, choices=hold_kinds)
    key = models.CharField(max_length=512, help_text="The campaign, or the template's name.")
    client = models.ForeignKey(
        ApiClient, models.CASCADE, null=True, blank=True, help_text="The client of the campaign; empty: all clients."
    )
    number = models.ForeignKey(
        BusinessNumber,
        models.CASCADE,
        null=True,
        blank=True,
        help_text="The number of the template; empty: all numbers.",
    )
    waba_id = models.CharField(
        "WABA id",
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="The account of the template; empty: all accounts.",
    )
    language = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="The language of the template; empty: all languages.",
    )
    reason = models.CharField(max_length=255, blank=True)
    # Set by those who create it: whether there was no such hold.
    is_new = True

    by = models.CharField(max_length=150, help_text="Who set the hold; system after an error of Meta.")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(
        null=True, blank=True, help_text="Resumed automatically at this time; empty: by a person."
    )
    resumed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key", "client", "number", "waba_id", "language"],
                condition=Q(resumed_at__isnull=True),
                nulls_distinct=False,
                name="hold_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def mark(self) -> str:
        """The value of `Message.hold` for its messages."""
        return f"{self.kind}:{self.pk}"


class PairPace(models.Model):
    """The rate limit of one recipient at one number. A row is deleted once it no longer limits anything.

    `tat` is the theoretical arrival time of GCRA: each message advances it by the pair's interval; until then the
    recipient gets messages only on `credit`, within the burst that began at `burst_at`.
    """

    number = models.ForeignKey(BusinessNumber, models.CASCADE, db_index=False)
    peer = models.CharField(max_length=PEER_LENGTH)
    tat = models.DateTimeField(db_default=Now())
    burst_at = models.DateTimeField(null=True)
    credit = models.FloatField(default=44.0, db_default=44.0)
    # Set while messages of this pair have the hold `pair`: when the first of them may be released.
    wake_at = models.DateTimeField(null=True)
    # Meta's throttling of the pair (131056): nothing is released before this time; how often it came in a row.
    not_before = models.DateTimeField(null=True)
    throttles = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "peer"], name="pair_once")]
        indexes = [models.Index(fields=["number", "wake_at"], condition=Q(wake_at__isnull=False), name="pair_wake")]

    def __str__(self) -> str:
        return f"pair {self.pk}"


class IncomingMark(models.Model):
    """The last time of an incident on the incoming lane that matters for messages with an unknown outcome."""

    kind = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField(null=True)
    # The last count, for kinds that count, e.g. messages in the DLQ.
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.kind
