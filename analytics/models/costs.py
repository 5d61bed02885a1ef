"""Costs of messages: Meta's rate cards, and delivered messages by what their price depends on.

Prices are applied when a question is asked, so a card that changes changes every figure that it made.
"""

from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Layout(StrEnum):
    """Meta publishes two files: one price a market and category, and prices by monthly volume."""

    LIST = "list"
    TIERS = "tiers"


def layouts() -> list[tuple[str, str]]:
    """For a model field."""
    return [(layout.value, layout.name.capitalize()) for layout in Layout]


class RateCard(models.Model):
    """The prices of one file, from midnight of a day on, in the time zone of each WhatsApp Business account."""

    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3)
    layout = models.CharField(max_length=5, choices=layouts)
    valid_from = models.DateField()
    imported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-valid_from", "layout"]
        constraints = [models.UniqueConstraint(fields=["currency", "layout", "valid_from"], name="rate_card_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency}, {self.layout})"


class Rate(models.Model):
    """The price of one message. Markets and categories without a row have no price."""

    card = models.ForeignKey(RateCard, models.CASCADE, related_name="rates")
    market = models.CharField(max_length=60)
    category = models.CharField(max_length=40, help_text="With underscores: authentication_international.")
    # Messages of the month before this one; a tier ends before `tier_to`, the last one never.
    tier_from = models.BigIntegerField(default=0)
    tier_to = models.BigIntegerField(null=True)
    price = models.DecimalField(max_digits=18, decimal_places=10)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["card", "market", "category", "tier_from"], name="rate_once")]

    def __str__(self) -> str:
        return f"{self.market}, {self.category} from {self.tier_from}"


class Charge(models.Model):
    """Outbound messages that were delivered in one quarter of an hour and whose price depends on the same things.

    Recounted with the bucket in which their ids were made, which may be long before: a message may be scheduled.
    """

    bucket = models.DateTimeField()
    at = models.DateTimeField()
    number_id = models.BigIntegerField(help_text="BusinessNumber.pk")
    client_id = models.BigIntegerField(help_text="ApiClient.pk; 0: none.")
    template = models.CharField(max_length=512, blank=True)
    campaign = models.CharField(max_length=100, blank=True)
    market = models.CharField(max_length=60)
    category = models.CharField(max_length=40, blank=True, help_text="With underscores; empty: not said.")
    price_type = models.CharField(max_length=40, blank=True, help_text="regular or free_…; empty: not said.")
    messages = models.IntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["bucket"], name="charge_bucket"),
            models.Index(fields=["at"], name="charge_time"),
            # The charges of one price by volume, in which a tier ends, of a day that is not summed up.
            models.Index(fields=["market", "category", "at"], condition=Q(price_type="regular"), name="charge_price"),
        ]

    def __str__(self) -> str:
        return f"{self.messages} messages at {self.at:%Y-%m-%d %H:%M}"


class DayCharge(models.Model):
    """The sum of the charges of a `Day`, whatever their buckets."""

    start = models.DateTimeField()
    minutes = models.SmallIntegerField(default=1440, db_default=1440)
    number_id = models.BigIntegerField()
    client_id = models.BigIntegerField()
    template = models.CharField(max_length=512, blank=True)
    campaign = models.CharField(max_length=100, blank=True)
    market = models.CharField(max_length=60)
    category = models.CharField(max_length=40, blank=True)
    price_type = models.CharField(max_length=40, blank=True)
    messages = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["start"], name="day_charge_start")]

    def __str__(self) -> str:
        return f"{self.messages} messages of the day from {self.start:%Y-%m-%d %H:%M}"


class RunningCharge(models.Model):
    """The running sums of a `Day`'s charges of price type regular: how far a month's volume has come at any quarter.

    Of each number, `whole`, and of its parts by client, template and campaign. `volumes[n]` are the messages until the
    end of the quarter of an hour `quarters[n]`, counted from 0 at the day's beginning. Quarters without any are left
    out.
    """

    start = models.DateTimeField()
    minutes = models.SmallIntegerField()
    market = models.CharField(max_length=60)
    category = models.CharField(max_length=40, blank=True)
    whole = models.BooleanField()
    number_id = models.BigIntegerField()
    client_id = models.BigIntegerField()
    template = models.CharField(max_length=512, blank=True)
    campaign = models.CharField(max_length=100, blank=True)
    quarters = ArrayField(models.SmallIntegerField())
    volumes = ArrayField(models.IntegerField())

    class Meta:
        indexes = [models.Index(fields=["start", "minutes", "market", "category"], name="running_charge_start")]

    def __str__(self) -> str:
        return f"running sums of the day from {self.start:%Y-%m-%d %H:%M}"
