"""Samples of all readings: stored each tick, downsampled after a day, deleted after eight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring.metrics.totals import SEPARATOR
from monitoring.models import Sample
from waproject.metrics.counters import CLOUD_API_SECONDS, SUM, TASK_SECONDS, TASK_WAIT, Series

RAW_FOR = timedelta(hours=24)
KEPT_FOR = timedelta(days=8)
COARSE_EVERY_S = 300
# A sample keeps counts and sums of these histograms. Their buckets are for Prometheus, and would be most of the row.
WITHOUT_BUCKETS = frozenset({TASK_SECONDS.name, TASK_WAIT.name, CLOUD_API_SECONDS.name})
COUNT = "count"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All readings at one time."""

    at: datetime
    values: Mapping[Series, float]

    def get(self, *series: str) -> float | None:
        """One reading; None if there is none."""
        return self.values.get(series)


def store(at: datetime, values: Mapping[Series, float]) -> Snapshot:
    """Store the readings of a tick."""
    kept = without_buckets(values)
    first = not Sample.objects.filter(coarse=True, at__gte=_coarse_start(at)).exists()
    texts = {SEPARATOR.join(series): round(value, 3) for series, value in kept.items()}
    Sample.objects.create(at=at, values=texts, coarse=first)
    return Snapshot(at, kept)


def since(start: datetime) -> list[Snapshot]:
    """The samples from `start` on, the oldest first."""
    return [_snapshot(row) for row in Sample.objects.filter(at__gte=start).order_by("at")]


def latest() -> Snapshot | None:
    """The newest sample; None if there is none."""
    row = Sample.objects.order_by("-at").first()
    return None if row is None else _snapshot(row)


def history(span: timedelta, points: int) -> list[Snapshot]:
    """About `points` samples, evenly spread over a span that ends now."""
    now = timezone.now()
    rows = Sample.objects.filter(at__gte=now - span)
    if span > RAW_FOR / 2:
        rows = rows.filter(coarse=True)
    times = list(rows.order_by("at").values_list("at", flat=True))
    step = max(1, len(times) // points)
    # Counted from the end, so that the newest is always included.
    wanted = times[::-1][::step][::-1]
    return [_snapshot(row) for row in Sample.objects.filter(at__in=wanted).order_by("at")]


def downsample(now: datetime) -> None:
    """Delete samples that are older than eight days, and raw ones that are older than a day."""
    Sample.objects.filter(at__lt=now - RAW_FOR, coarse=False).delete()
    Sample.objects.filter(at__lt=now - KEPT_FOR).delete()


def rate(snapshots: Sequence[Snapshot], *series: str) -> float | None:
    """The rate of a counter from the first of these snapshots to the last; None for fewer than two."""
    by = increase(snapshots, *series)
    seconds = (snapshots[-1].at - snapshots[0].at).total_seconds() if snapshots else 0.0
    return by / seconds if by is not None and seconds > 0 else None


def increase(snapshots: Sequence[Snapshot], *series: str) -> float | None:
    """The increase of a counter; a series that is new starts at 0. None for fewer than two snapshots."""
    if len(snapshots) < 2:  # noqa: PLR2004
        return None
    return max(0.0, (snapshots[-1].get(*series) or 0.0) - (snapshots[0].get(*series) or 0.0))


def series_of(snapshots: Sequence[Snapshot], metric: str) -> list[Series]:
    """The series of a metric in the last of these snapshots."""
    return sorted(series for series in snapshots[-1].values if series[0] == metric) if snapshots else []


def without_buckets(values: Mapping[Series, float]) -> dict[Series, float]:
    """The values that a sample stores."""
    kept: dict[Series, float] = {}
    for series, value in values.items():
        if series[0] in WITHOUT_BUCKETS and series[-1] != SUM:
            count = (*series[:-1], COUNT)
            kept[count] = kept.get(count, 0.0) + value
        else:
            kept[series] = value
    return kept


def _coarse_start(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // COARSE_EVERY_S * COARSE_EVERY_S, tz=at.tzinfo)


def _snapshot(row: Sample) -> Snapshot:
    return Snapshot(row.at, {tuple(text.split(SEPARATOR)): value for text, value in row.values.items()})
