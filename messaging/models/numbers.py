"""The business numbers that we send from."""

from django.conf import settings
from django.db import models
from django.utils import timezone


def default_rate() -> int:
    """Messages a second until Meta grants more."""
    return settings.WA_DEFAULT_RATE  # type: ignore[no-any-return]


class BusinessNumber(models.Model):
    """A WhatsApp Business phone number, its pace, and whether it may send."""

    phone_number_id = models.CharField(max_length=32, unique=True, help_text="Meta's id of the number.")
    display_phone_number = models.CharField(max_length=32, blank=True)
    waba_id = models.CharField("WABA id", max_length=32, blank=True)
    portfolio = models.CharField(
        max_length=64,
        blank=True,
        help_text="The business portfolio, in any word of yours: contacts are one within it. Set before it receives.",
    )
    rate = models.PositiveIntegerField(default=default_rate, help_text="Messages a second that Meta allows.")
    paused_at = models.DateTimeField(null=True, blank=True, help_text="Nothing is released while this is set.")
    pause_reason = models.CharField(max_length=200, blank=True)
    paused_by = models.CharField(
        max_length=150, blank=True, help_text="Who paused it; `system` for an error of Meta's."
    )
    # The token bucket of the pace, changed only under this row's lock: dispatchers share it without an election.
    tokens = models.FloatField(default=0, editable=False)
    tokens_at = models.DateTimeField(default=timezone.now, editable=False)
    # Meta's throttling (130429): nothing goes before this time; how often that came in a row; the share of the pace
    # that is used since, which grows back with time.
    throttled_until = models.DateTimeField(null=True, blank=True, editable=False)
    throttles = models.PositiveSmallIntegerField(default=0, editable=False)
    pace_share = models.FloatField(default=1.0, editable=False)
    slowed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The breaker: outcomes in a row that nobody knows, and once there are too many, when the next probe may go and
    # how many seconds after it the one that follows.
    failures = models.PositiveIntegerField(default=0, editable=False)
    probe_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_step = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "business number"

    def __str__(self) -> str:
        return self.display_phone_number or self.phone_number_id
