"""Samples of all readings: taken each tick, thinned after a day, dropped after eight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring.metrics.totals import SEPARATOR
from monitoring.models import Sample
from waproject.metrics.counters import CLOUD_API_SECONDS, SUM, TASK_SECONDS, TASK_WAIT, Series

FINE_FOR = timedelta(hours=24)
KEPT_FOR = timedelta(days=8)
COARSE_EVERY_S = 300
# Of these a sample keeps counts and sums; their distribution is for Prometheus, and would be most of the row.
WITHOUT_BUCKETS = frozenset({TASK_SECONDS.name, TASK_WAIT.name, CLOUD_API_SECONDS.name})
COUNT = "count"


@dataclass(frozen=True, slots=True)
class Moment:
    """The readings of one moment."""

    at: datetime
    values: Mapping[Series, float]

    def get(self, *series: str) -> float | None:
        """One reading; None where there was none."""
        return self.values.get(series)


def take(at: datetime, values: Mapping[Series, float]) -> Moment:
    """Store the readings of a tick."""
    kept = without_buckets(values)
    first = not Sample.objects.filter(coarse=True, at__gte=_coarse_start(at)).exists()
    texts = {SEPARATOR.join(series): round(value, 3) for series, value in kept.items()}
    Sample.objects.create(at=at, values=texts, coarse=first)
    return Moment(at, kept)


def since(moment: datetime) -> list[Moment]:
    """The samples from then on, the oldest first."""
    return [_moment(row) for row in Sample.objects.filter(at__gte=moment).order_by("at")]


def latest() -> Moment | None:
    """The last one."""
    row = Sample.objects.order_by("-at").first()
    return None if row is None else _moment(row)


def history(span: timedelta, points: int) -> list[Moment]:
    """Samples over a span that ends now, evenly spread, some `points` of them."""
    now = timezone.now()
    rows = Sample.objects.filter(at__gte=now - span)
    if span > FINE_FOR / 2:
        rows = rows.filter(coarse=True)
    times = list(rows.order_by("at").values_list("at", flat=True))
    step = max(1, len(times) // points)
    # Counted from the end, so that the newest is always among them.
    wanted = times[::-1][::step][::-1]
    return [_moment(row) for row in Sample.objects.filter(at__in=wanted).order_by("at")]


def thin_out(now: datetime) -> None:
    """Drop what is too old, or too fine for its age."""
    Sample.objects.filter(at__lt=now - FINE_FOR, coarse=False).delete()
    Sample.objects.filter(at__lt=now - KEPT_FOR).delete()


def per_second(moments: Sequence[Moment], *series: str) -> float | None:
    """How fast a total grew from the first of these moments to the last; None for less than two."""
    grown = growth(moments, *series)
    seconds = (moments[-1].at - moments[0].at).total_seconds() if moments else 0.0
    return grown / seconds if grown is not None and seconds > 0 else None


def growth(moments: Sequence[Moment], *series: str) -> float | None:
    """How much a total grew; a series that began meanwhile grew from nothing. None for less than two moments."""
    if len(moments) < 2:  # noqa: PLR2004
        return None
    return max(0.0, (moments[-1].get(*series) or 0.0) - (moments[0].get(*series) or 0.0))


def names(moments: Sequence[Moment], metric: str) -> list[Series]:
    """The series of a metric that the last of these moments has."""
    return sorted(series for series in moments[-1].values if series[0] == metric) if moments else []


def without_buckets(values: Mapping[Series, float]) -> dict[Series, float]:
    """The values that a sample keeps."""
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


def _moment(row: Sample) -> Moment:
    return Moment(row.at, {tuple(text.split(SEPARATOR)): value for text, value in row.values.items()})
