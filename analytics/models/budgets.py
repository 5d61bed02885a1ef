"""Budgets of clients and campaigns."""

from decimal import Decimal
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from messaging.models import ApiClient


class BudgetPeriod(StrEnum):
    """The period of a budget's amount."""

    MONTH = "month"
    TOTAL = "total"


class BudgetState(StrEnum):
    """The state of a budget: messages of a spent one are held."""

    FINE = "fine"
    WARNED = "warned"
    SPENT = "spent"


def budget_periods() -> list[tuple[str, str]]:
    """For a model field."""
    return [(BudgetPeriod.MONTH.value, "Each calendar month"), (BudgetPeriod.TOTAL.value, "In total")]


def budget_states() -> list[tuple[str, str]]:
    """For a model field."""
    return [(state.value, state.name.capitalize()) for state in BudgetState]


class Budget(models.Model):
    """An amount that the delivered messages of a client, a campaign, or a client's campaign may cost."""

    client = models.ForeignKey(
        ApiClient, models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: of all clients."
    )
    campaign = models.CharField(max_length=100, blank=True, help_text="Empty: all messages of the client.")
    period = models.CharField(max_length=5, choices=budget_periods, default=BudgetPeriod.MONTH)
    amount = models.DecimalField(
        max_digits=18, decimal_places=4, validators=[MinValueValidator(Decimal("0.0001"))], help_text="More is held."
    )
    currency = models.CharField(
        max_length=3, validators=[RegexValidator("^[A-Z]{3}$", "Three capital letters, such as USD.")]
    )
    warn_share = models.DecimalField(
        "warn at",
        max_digits=3,
        decimal_places=2,
        default=Decimal("0.80"),
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(1))],
        help_text="The share of the amount at which an alert warns.",
    )
    active = models.BooleanField(default=True)
    # What the last check found.
    spent = models.DecimalField(max_digits=24, decimal_places=10, default=Decimal(0), editable=False)
    unpriced = models.BigIntegerField(
        default=0, editable=False, help_text="Messages without a price; they count for nothing."
    )
    state = models.CharField(max_length=6, choices=budget_states, default=BudgetState.FINE, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["client", "campaign", "period"], nulls_distinct=False, name="budget_once"),
            models.CheckConstraint(condition=Q(client__isnull=False) | ~Q(campaign=""), name="budget_of_something"),
        ]

    def __str__(self) -> str:
        owner = " of ".join(part for part in (self.campaign, self.client.name if self.client else "") if part)
        return f"{owner}, {self.get_period_display().lower()}"

    def clean(self) -> None:
        """Raises ValidationError for a budget of nothing."""
        if self.client is None and not self.campaign:
            raise ValidationError("Name a client, a campaign, or both.")
