"""Totals of counters."""

from django.db import models

SERIES_LENGTH = 200


class Count(models.Model):
    """One series' total since the beginning: a metric's name and its labels' values, with slashes between."""

    series = models.CharField(max_length=SERIES_LENGTH, primary_key=True)
    value = models.FloatField()

    def __str__(self) -> str:
        return self.series


class Position(models.Model):
    """How far MessageEvent rows are counted. One row, whose lock makes one process at a time count them."""

    name = models.CharField(max_length=50, primary_key=True)
    event_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} at {self.event_id}"
