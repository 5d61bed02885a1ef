"""Samples of all readings."""

from django.db import models


class Sample(models.Model):
    """All readings at one time.

    `values` maps series (as in Count) to numbers. One row in five minutes is kept after a day, none after eight days.
    """

    at = models.DateTimeField(primary_key=True)
    values = models.JSONField()
    # Kept for eight days; the rows in between are deleted after a day.
    coarse = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["at"], condition=models.Q(coarse=True), name="sample_coarse")]

    def __str__(self) -> str:
        return f"sample of {self.at:%Y-%m-%d %H:%M:%S}"
