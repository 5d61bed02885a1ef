"""The audit log."""

from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One manual action of an operator or an API client. Never altered; holds no message text and no phone number."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    who = models.CharField(max_length=150)
    action = models.CharField(max_length=50, db_index=True)
    object = models.CharField(max_length=200, help_text="The kind and our own id, such as message 0190…")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["object"], name="audit_object")]

    def __str__(self) -> str:
        return f"{self.action} {self.object}"
