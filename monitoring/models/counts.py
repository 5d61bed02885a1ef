"""Totals of counters."""

from django.db import models

SERIES_LENGTH = 200


class Count(models.Model):
    """The total of one series: a metric's name and its labels' values, separated by slashes."""

    series = models.CharField(max_length=SERIES_LENGTH, primary_key=True)
    value = models.FloatField()

    def __str__(self) -> str:
        return self.series


class Position(models.Model):
    """The last MessageEvent row that is counted. One row, whose lock lets one process at a time count."""

    name = models.CharField(max_length=50, primary_key=True)
    event_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} at {self.event_id}"
