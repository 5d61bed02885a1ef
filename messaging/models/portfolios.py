"""Business portfolios: their messaging limit, and the recipients that count against it."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from messaging.models.messages import PEER_LENGTH


class Portfolio(models.Model):
    """A business portfolio of Meta. All of its numbers share one messaging limit.

    `key` is Meta's id of the portfolio; until Meta has named it, the `portfolio` of its numbers or their WABA's id.
    `opened` counts the rows of OpenedRecipient with `opened_at` from `counted_from` on: it is changed only under this
    row's lock, in the statement that changes those rows (messaging/portfolios/opened_recipients.py).
    """

    key = models.CharField(max_length=64, unique=True)
    tier = models.CharField(max_length=40, blank=True, db_default="", help_text="Meta's word, such as TIER_2K.")
    users_a_day = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: unlimited, or not known.")
    limit_at = models.DateTimeField(null=True, blank=True, help_text="When Meta named the limit.")
    opened = models.IntegerField(default=0, db_default=0)
    counted_from = models.DateTimeField(default=timezone.now, db_default=Now())

    def __str__(self) -> str:
        return self.key


class OpenedRecipient(models.Model):
    """A recipient whom a portfolio messaged outside of a customer service window, and when it last did.

    `message_id`: the only message that did so within the window of the limit, else NULL. If Meta rejects that one, the
    recipient does not count.
    """

    pk = models.CompositePrimaryKey("portfolio_id", "peer")
    portfolio = models.ForeignKey(Portfolio, models.CASCADE, db_index=False, db_constraint=False)
    # In canonical form, as Message.peer.
    peer = models.CharField(max_length=PEER_LENGTH)
    opened_at = models.DateTimeField()
    message_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["portfolio", "opened_at"], name="opened_at")]

    def __str__(self) -> str:
        return f"opened recipient of portfolio {self.portfolio_id}"


class OpenedCount(models.Model):
    """The number of OpenedRecipient rows of a portfolio with `opened_at` within a minute."""

    pk = models.CompositePrimaryKey("portfolio_id", "minute")
    portfolio = models.ForeignKey(Portfolio, models.CASCADE, db_index=False, db_constraint=False)
    minute = models.DateTimeField()
    recipients = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.recipients} of portfolio {self.portfolio_id} at {self.minute}"
