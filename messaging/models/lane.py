"""State of the outgoing lane beside its messages: holds, pair paces, evidence of the incoming lane."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from messaging.models.access import ApiClient
from messaging.models.messages import PEER_LENGTH
from messaging.models.numbers import BusinessNumber


class HoldKind(StrEnum):
    """What can be held beside a whole number, which has `paused_at` of its own."""

    CAMPAIGN = "campaign"
    TEMPLATE = "template"


def hold_kinds() -> list[tuple[str, str]]:
    """For a model field."""
    return [(kind.value, kind.name.capitalize()) for kind in HoldKind]


class Hold(models.Model):
    """A campaign or a template that nothing is sent of, until it is resumed or its time is up.

    The dispatcher marks the rows it meets with `mark` and takes the marks away again, in batches, after `resumed_at`.
    """

    kind = models.CharField(max_length=10, choices=hold_kinds)
    key = models.CharField(max_length=512, help_text="The campaign's label, or the template's name.")
    client = models.ForeignKey(
        ApiClient, models.CASCADE, null=True, blank=True, help_text="Whose campaign; empty: every client's."
    )
    number = models.ForeignKey(
        BusinessNumber, models.CASCADE, null=True, blank=True, help_text="Which number's template; empty: every one's."
    )
    reason = models.CharField(max_length=255, blank=True)
    by = models.CharField(max_length=150, help_text="Who held it; `system` for an error of Meta's.")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True, help_text="Resumed by itself then; empty: by a person.")
    resumed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key", "client", "number"],
                condition=Q(resumed_at__isnull=True),
                nulls_distinct=False,
                name="hold_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def mark(self) -> str:
        """What the rows carry in `hold`."""
        return f"{self.kind}:{self.pk}"


class PairPace(models.Model):
    """The pair limit of a number and a recipient. A row is deleted once it limits nothing.

    `tat`: each message moves it on by the pair's interval; until then the recipient gets messages only on `credit`,
    within the burst that began at `burst_at`.
    """

    number = models.ForeignKey(BusinessNumber, models.CASCADE, db_index=False)
    peer = models.CharField(max_length=PEER_LENGTH)
    tat = models.DateTimeField(db_default=Now())
    burst_at = models.DateTimeField(null=True)
    credit = models.FloatField(default=44.0, db_default=44.0)
    # Set while rows of this pair wait with the hold `pair`: when the first of them may go.
    wake_at = models.DateTimeField(null=True)
    # Meta's own throttling of the pair (131056): nothing before this time, and how often that came in a row.
    not_before = models.DateTimeField(null=True)
    throttles = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "peer"], name="pair_once")]
        indexes = [models.Index(fields=["number", "wake_at"], condition=Q(wake_at__isnull=False), name="pair_wake")]

    def __str__(self) -> str:
        return f"pair {self.pk}"


class IncomingMark(models.Model):
    """The last time that something happened on the incoming lane which a lost answer's settlement must know."""

    kind = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField(null=True)
    # For what is counted, e.g. messages on the DLQ: the last count.
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.kind
