"""The last result of each check of the set-up."""

from django.db import models


class SetupFinding(models.Model):
    """The result of one check, as `manage.py doctor` words it. All rows are replaced when the monitor has checked."""

    check_name = models.CharField(max_length=50)
    about = models.CharField(max_length=64, blank=True, help_text="Meta's id of the account or number, or empty.")
    state = models.CharField(max_length=10)
    text = models.TextField()
    next_step = models.TextField(blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """The check and what it is about, as alerts name it."""
        return f"{self.check_name} {self.about}".strip()
