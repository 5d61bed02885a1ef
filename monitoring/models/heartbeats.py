"""Heartbeats of processes."""

from django.db import models


class Heartbeat(models.Model):
    """One process: updated every 15 s while it runs, deleted on a clean stop, left behind by a kill.

    `stalled_since` is set while it has work that does not move.
    """

    kind = models.CharField(max_length=32, help_text="Its line of the Procfile.")
    name = models.CharField(max_length=255)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    stalled_since = models.DateTimeField(null=True, blank=True)
    crashes = models.PositiveIntegerField(default=0, help_text="Predecessors in its place that did not end cleanly.")
    crashed_at = models.DateTimeField(null=True, blank=True, help_text="When the last one of those was seen last.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "host", "pid"], name="heartbeat_process")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"
