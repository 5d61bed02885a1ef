"""The business numbers that we send from."""

from django.conf import settings
from django.db import models
from django.utils import timezone


def default_rate() -> int:
    """Messages a second until Meta grants more."""
    return settings.WA_DEFAULT_RATE


class BusinessNumber(models.Model):
    """A WhatsApp Business phone number, its rate limit, and whether it is paused."""

    phone_number_id = models.CharField(max_length=32, unique=True, help_text="Meta's id of the number.")
    display_phone_number = models.CharField(max_length=32, blank=True)
    waba_id = models.CharField("WABA id", max_length=32, blank=True)
    portfolio = models.CharField(
        max_length=64,
        blank=True,
        help_text="A name of your choice for the business portfolio: contacts are unique within it. Set it before the "
        "number receives its first message.",
    )
    # Meta's facts, from the Graph API and webhooks; empty until Meta has named them.
    verified_name = models.CharField(max_length=255, blank=True, db_default="")
    quality = models.CharField(max_length=20, blank=True, db_default="", help_text="GREEN, YELLOW, RED or UNKNOWN.")
    throughput = models.CharField(max_length=20, blank=True, db_default="", help_text="STANDARD or HIGH.")
    messaging_limit = models.CharField(
        max_length=40, blank=True, db_default="", help_text="The portfolio's tier, such as TIER_2K."
    )
    # The portfolio whose messaging limit the number shares; the dispatcher sets it at the first release.
    limited_by = models.ForeignKey(
        "messaging.Portfolio", models.SET_NULL, null=True, blank=True, editable=False, db_index=False
    )
    status = models.CharField(max_length=40, blank=True, db_default="", help_text="Such as CONNECTED.")
    account_mode = models.CharField(max_length=20, blank=True, db_default="", help_text="LIVE or SANDBOX.")
    name_status = models.CharField(max_length=40, blank=True, db_default="", help_text="Meta's review of the name.")
    synced_at = models.DateTimeField(null=True, blank=True, help_text="When Meta was last asked for these facts.")
    rate = models.PositiveIntegerField(default=default_rate, help_text="Messages a second that Meta allows.")
    marketing_api = models.BooleanField(
        "Marketing Messages API",
        default=False,
        db_default=False,
        help_text="Send marketing templates by Meta's Marketing Messages API; where Meta refuses that, by the "
        "Cloud API.",
    )
    paused_at = models.DateTimeField(null=True, blank=True, help_text="Nothing is released while this is set.")
    pause_reason = models.CharField(max_length=200, blank=True)
    paused_by = models.CharField(max_length=150, blank=True, help_text="Who paused it; system after an error of Meta.")
    # A refusal of a call that began before this time neither pauses nor throttles the number.
    resumed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The token bucket, changed only under this row's lock, so that dispatchers share it without leader election.
    tokens = models.FloatField(default=0, editable=False)
    tokens_at = models.DateTimeField(default=timezone.now, editable=False)
    # Meta's throttling (130429): nothing is released before this time; how often it came in a row; the share of the
    # rate that is used since, which recovers over time.
    throttled_until = models.DateTimeField(null=True, blank=True, editable=False)
    throttles = models.PositiveSmallIntegerField(default=0, editable=False)
    pace_share = models.FloatField(default=1.0, editable=False)
    slowed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The circuit breaker: consecutive unknown outcomes; once it is open, the time of the next probe and the seconds
    # until the one after it.
    failures = models.PositiveIntegerField(default=0, editable=False)
    probe_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_step = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "business number"

    def __str__(self) -> str:
        return self.display_phone_number or self.phone_number_id
