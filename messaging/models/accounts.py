"""WhatsApp Business accounts (WABA)."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

DEFAULT_TOKEN_NAME = "WA_ACCESS_TOKEN"  # noqa: S105 - the name of a setting
# No other name: the value of the variable travels to Meta.
TOKEN_NAME = re.compile(r"WA_ACCESS_TOKEN(?:_[A-Z0-9_]{1,60})?")


def valid_token_name(value: str) -> None:
    """Raises ValidationError for a name that does not hold an access token."""
    if not TOKEN_NAME.fullmatch(value):
        raise ValidationError("Enter WA_ACCESS_TOKEN, or WA_ACCESS_TOKEN_ and a name in capitals.")


class Account(models.Model):
    """A WhatsApp Business account. Its numbers and templates have its `waba_id`. Only `token_name` is ours to edit."""

    waba_id = models.CharField("WABA id", max_length=32, unique=True)
    portfolio_id = models.CharField(max_length=32, blank=True, help_text="Meta's id of the business portfolio.")
    name = models.CharField(max_length=255, blank=True)
    currency = models.CharField(max_length=8, blank=True)
    timezone_id = models.CharField(max_length=64, blank=True, help_text="Meta's id of the time zone.")
    review_status = models.CharField(max_length=40, blank=True, help_text="Meta's review, such as APPROVED.")
    ban_state = models.CharField(
        max_length=40, blank=True, help_text="DISABLE, SCHEDULE_FOR_DISABLE or REINSTATE; empty: never banned."
    )
    restriction = models.CharField(max_length=255, blank=True, help_text="Restrictions that Meta has reported.")
    token_name = models.CharField(
        "access token",
        max_length=80,
        default=DEFAULT_TOKEN_NAME,
        db_default=DEFAULT_TOKEN_NAME,
        validators=[valid_token_name],
        help_text="The environment variable that holds the token of this account: WA_ACCESS_TOKEN, or one of "
        "WA_ACCESS_TOKEN_…; the token itself is not stored.",
    )
    synced_at = models.DateTimeField(null=True, blank=True, help_text="When Meta was last asked for these facts.")
    templates_synced_at = models.DateTimeField(null=True, blank=True, help_text="Likewise for the templates.")
    templates_due_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="When the templates are synced next."
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        verbose_name = "WhatsApp account"
        ordering = ["waba_id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.waba_id})" if self.name else self.waba_id
