"""Last errors of failed tasks, and redrive jobs."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

TASK_ID_LENGTH = 100


class TaskFailure(models.Model):
    """The latest failure of one task, by its task id, which stays the same over all receives.

    Holds the error's class, its message without quoted values (`message`), and the line of our code that raised it
    (`place`); no arguments.
    """

    task_id = models.CharField(max_length=TASK_ID_LENGTH, primary_key=True)
    task = models.CharField(max_length=100)
    error = models.CharField(max_length=100)
    message = models.CharField(max_length=300, blank=True, db_column="words")
    place = models.CharField(max_length=200, blank=True)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now, db_index=True)
    times = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.error} of {self.task}"


class RedriveJob(models.Model):
    """A job that redrives or discards dead letters: requested by a person, run by the monitor process."""

    class Action(models.TextChoices):
        REDRIVE = "redrive"
        DISCARD = "discard"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        FAILED = "failed"

    lane = models.CharField(max_length=20)
    action = models.CharField(max_length=10, choices=Action)
    message_ids = models.JSONField(null=True, help_text="Those of SQS that are still to be moved; null: all.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    total = models.PositiveIntegerField(null=True, help_text="Approximate where all were asked for.")
    done = models.PositiveIntegerField(default=0)
    requested_by = models.CharField(max_length=150, db_column="asked_by")
    requested_at = models.DateTimeField(default=timezone.now, db_column="asked_at")
    stop_requested_at = models.DateTimeField(null=True, db_column="stop_asked_at")
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    # SQS moves the messages itself; the monitor follows its progress.
    by_sqs = models.BooleanField(default=False)
    failures = models.PositiveSmallIntegerField(default=0)
    # Since when the job has found none of its messages.
    idle_since = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        # Kept, as the columns are, for the version before in a rolling upgrade.
        db_table = "monitoring_move"
        verbose_name = "dead letters"
        verbose_name_plural = "dead letters"
        ordering = ["-id"]
        default_permissions = ()
        permissions = [
            ("redrive", "Can look at dead letters, redrive and discard them"),
            ("read_dead_letters", "Can read the texts and numbers in dead letters"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["lane"], condition=Q(finished_at__isnull=True), name="move_one_per_lane")
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.lane}"
