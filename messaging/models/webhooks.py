"""Webhook contents other than messages: account events, unknown updates, orphan statuses, stored bodies."""

from django.db import models
from django.utils import timezone


class UnknownUpdate(models.Model):
    """A part of a webhook that the normaliser does not model: stored once, and shown in the admin."""

    kind = models.CharField(max_length=100, db_index=True)
    phone_number_id = models.CharField(max_length=32, blank=True)
    raw = models.JSONField(null=True, help_text="As received; may be null.")
    # SHA-256 of kind and content, so that a repeated update is stored once.
    digest = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField(default=timezone.now)
    seen = models.PositiveIntegerField(default=1, help_text="How often it was received.")
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        # Retention deletes by it.
        indexes = [models.Index(fields=["last_seen_at"], name="unknown_update_last_seen")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class OrphanStatus(models.Model):
    """A status whose message is not stored (yet); the dispatcher's sweep matches it again."""

    wamid = models.CharField(max_length=512)
    phone_number_id = models.CharField(max_length=32)
    callback_data = models.CharField(max_length=512, blank=True)
    status = models.CharField(max_length=20)
    participant = models.CharField(max_length=140, blank=True)
    # The whole update, to be normalised again once its message is stored.
    raw = models.JSONField()
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name_plural = "orphan statuses"
        constraints = [models.UniqueConstraint(fields=["wamid", "status", "participant"], name="orphan_once")]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"


class AccountEvent(models.Model):
    """An event of Meta about the account, a number, a template or a user; stored once."""

    kind = models.CharField(max_length=100, db_index=True, help_text="Meta's field, such as account_update.")
    event = models.CharField(max_length=512, blank=True)
    subject = models.CharField(max_length=512, blank=True, help_text="The template or number of the event.")
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
    """The category of a template at Meta: from webhooks, from message pricing, or set by an operator. Marketing needs
    consent.
    """

    waba_id = models.CharField("WABA id", max_length=32, blank=True, help_text="Empty: all accounts.")
    name = models.CharField(max_length=512)
    category = models.CharField(max_length=40, help_text="marketing, utility or authentication.")
    # Meta's time of the webhook that set it: webhooks come in any order.
    at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "template categories"
        constraints = [models.UniqueConstraint(fields=["name", "waba_id"], name="template_category_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.category}"


class StoredWebhook(models.Model):
    """A webhook body that is too large for the queue, which carries its id. Deleted once processed."""

    body = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"stored webhook {self.pk}"
