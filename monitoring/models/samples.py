"""Samples of all readings."""

from django.db import models


class Sample(models.Model):
    """All readings of one moment.

    `values` maps series (as in Count) to numbers. After a day only one row in five minutes is left, after eight days
    none.
    """

    at = models.DateTimeField(primary_key=True)
    values = models.JSONField()
    # Kept for the whole week; the rows between these go after a day.
    coarse = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["at"], condition=models.Q(coarse=True), name="sample_coarse")]

    def __str__(self) -> str:
        return f"sample of {self.at:%Y-%m-%d %H:%M:%S}"
