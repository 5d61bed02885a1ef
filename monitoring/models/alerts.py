"""Alerts, their notices and silences."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

RULE_LENGTH = 50
# The key of an alert: a lane, a number's id at Meta, a process.
KEY_LENGTH = 150


class Alert(models.Model):
    """One alert of a rule on one key, from when it fired until it ended."""

    rule = models.CharField(max_length=RULE_LENGTH)
    key = models.CharField(max_length=KEY_LENGTH, blank=True, help_text="What it is about: a lane, a number, …")
    severity = models.CharField(max_length=10)
    value = models.FloatField(help_text="The latest reading.")
    summary = models.CharField(max_length=300)
    since = models.DateTimeField(help_text="When the reading passed the threshold.")
    fired_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-fired_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "key"], condition=Q(resolved_at__isnull=True), name="alert_open_once"
            )
        ]
        indexes = [models.Index(fields=["-fired_at"], name="alert_fired")]

    def __str__(self) -> str:
        return f"{self.rule} {self.key}".strip()


class Notice(models.Model):
    """One notice to one channel: that an alert fired, or that it ended. Sent once; `sent_at` is when."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notices")
    channel = models.CharField(max_length=10)
    event = models.CharField(max_length=10)
    made_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True, db_column="told_at")
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "channel", "event"], name="notice_once")]
        indexes = [models.Index(fields=["next_try_at"], condition=Q(sent_at__isnull=True), name="notice_to_tell")]

    def __str__(self) -> str:
        return f"{self.event} of {self.alert_id} by {self.channel}"


class Silence(models.Model):
    """Suppresses the notices of a rule for a time. Its alerts are shown, and sent if they outlast the silence."""

    rule = models.CharField(max_length=RULE_LENGTH)
    key = models.CharField(
        max_length=KEY_LENGTH, blank=True, help_text="Only for this lane, number, …; empty: for all."
    )
    until = models.DateTimeField()
    reason = models.CharField(max_length=255, blank=True)
    by = models.CharField(max_length=150, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-until"]

    def __str__(self) -> str:
        return f"{self.rule} {self.key}".strip()
