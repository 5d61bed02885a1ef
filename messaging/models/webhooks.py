"""Webhook contents that are no messages: account events, unknown updates, orphan statuses, stored bodies."""

from django.db import models
from django.utils import timezone


class UnknownUpdate(models.Model):
    """A piece of a webhook that the normaliser does not model. It is kept, once, and shown in the admin."""

    kind = models.CharField(max_length=100, db_index=True)
    phone_number_id = models.CharField(max_length=32, blank=True)
    raw = models.JSONField(null=True, help_text="As it came; a piece may be JSON's null.")
    # SHA-256 of the kind and the piece: Meta repeats itself, we do not.
    digest = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField(default=timezone.now)
    seen = models.PositiveIntegerField(default=1, help_text="How often it came.")
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class OrphanStatus(models.Model):
    """A status of a message that we do not have yet; matched again by the dispatcher's sweep."""

    wamid = models.CharField(max_length=512)
    phone_number_id = models.CharField(max_length=32)
    callback_data = models.CharField(max_length=512, blank=True)
    status = models.CharField(max_length=20)
    participant = models.CharField(max_length=140, blank=True)
    # The whole update as it came, for the day it finds its message.
    raw = models.JSONField()
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name_plural = "orphan statuses"
        constraints = [models.UniqueConstraint(fields=["wamid", "status", "participant"], name="orphan_once")]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"


class AccountEvent(models.Model):
    """What Meta told of the account, a number, a template or a user: kept once."""

    kind = models.CharField(max_length=100, db_index=True, help_text="Meta's field, such as account_update.")
    event = models.CharField(max_length=512, blank=True)
    subject = models.CharField(max_length=512, blank=True, help_text="The template or number that it is about.")
    waba_id = models.CharField("WABA id", max_length=32, blank=True)
    phone_number_id = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    raw = models.JSONField()
    digest = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.event}".strip()


class TemplateCategory(models.Model):
    """What a template is filed under at Meta: told by its webhooks and its bills, or by hand. Only marketing needs
    consent.
    """

    waba_id = models.CharField("WABA id", max_length=32, blank=True, help_text="Empty: every account's.")
    name = models.CharField(max_length=512)
    category = models.CharField(max_length=40, help_text="marketing, utility or authentication.")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "template categories"
        constraints = [models.UniqueConstraint(fields=["name", "waba_id"], name="template_category_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.category}"


class StoredWebhook(models.Model):
    """A body that is too large for the queue: the queue carries its id. Deleted once it was worked on."""

    body = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"stored webhook {self.pk}"
