"""Message templates, as Meta has them."""

from django.db import models
from django.utils import timezone

from messaging.models.accounts import Account


class Template(models.Model):
    """A template of an account in one language. Meta owns all of it: synced, and changed by webhooks."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="templates", db_index=False)
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=20)
    template_id = models.CharField(max_length=32, blank=True, help_text="Meta's id of the template in this language.")
    category = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=40, blank=True, help_text="Such as APPROVED, PENDING, PAUSED or DISABLED.")
    quality = models.CharField(max_length=20, blank=True, help_text="GREEN, YELLOW, RED or UNKNOWN.")
    components = models.JSONField(default=list)
    parameter_format = models.CharField(max_length=20, blank=True, help_text="POSITIONAL or NAMED.")
    reason = models.CharField(max_length=255, blank=True, help_text="Meta's reason for the status.")
    # Meta's times of the webhooks that set these: webhooks come in any order.
    status_at = models.DateTimeField(null=True, blank=True)
    category_at = models.DateTimeField(null=True, blank=True)
    quality_at = models.DateTimeField(null=True, blank=True)
    # When we learnt that Meta has approved it. A refusal of a call that began earlier does not hold it.
    approved_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True, help_text="When Meta no longer had it.")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name", "language"]
        constraints = [models.UniqueConstraint(fields=["account", "name", "language"], name="template_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"
