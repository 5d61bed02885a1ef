"""Template filters for readings: short, with a dash for unknown values."""

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils import timezone

from monitoring.metrics.window import GAP_S

register = template.Library()

UNKNOWN = "\N{EN DASH}"
MINUTE, HOUR, DAY = 60, 3600, 86400
SPARK_WIDTH, SPARK_HEIGHT = 120, 28


@register.filter
def count(value: float | None) -> str:
    """12,345; a dash if unknown."""
    return UNKNOWN if value is None else f"{value:,.0f}"


@register.filter
def duration(seconds: float | None) -> str:
    """120 ms, 3.4 s, 4 min, 2 h, 3 d."""
    if seconds is None:
        return UNKNOWN
    for limit, unit, form in ((1, 0.001, "{:.0f} ms"), (10, 1, "{:.1f} s"), (2 * MINUTE, 1, "{:.0f} s")):
        if seconds < limit:
            return "0 s" if seconds == 0 else form.format(seconds / unit)
    for limit, unit, word in ((2 * HOUR, MINUTE, "min"), (2 * DAY, HOUR, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / DAY:.0f} d"


@register.filter
def per_second(value: float | None) -> str:
    """0.25/s, 3.4/s, 80/s."""
    if value is None:
        return UNKNOWN
    return f"{value:.0f}/s" if value >= 10 or value == 0 else f"{value:.2g}/s"  # noqa: PLR2004


@register.filter
def percent(share: float | None) -> str:
    """97.5 %; 100 % and 0 % only if exact."""
    if share is None:
        return UNKNOWN
    if share in {0, 1}:
        return f"{share:.0%}".replace("%", " %")
    return f"{min(99.9, max(0.1, share * 100)):.1f} %"


@register.filter
def ago(moment: datetime | None) -> str:
    """The time since a moment: 4 min."""
    return UNKNOWN if moment is None else duration(max(0.0, (timezone.now() - moment).total_seconds()))


@register.filter
def last_span(seconds: float) -> str:
    """What counts of "the last hour" cover: the last hour, the last 25 min."""
    if seconds >= HOUR - GAP_S:
        return "the last hour"
    return f"the last {duration(seconds)}" if seconds else "the last hour (no samples yet)"


@register.filter
def spark(values: Sequence[float]) -> str:
    """The points of an SVG polyline; all zeros are a flat line at the bottom."""
    if len(values) < 2:  # noqa: PLR2004
        return ""
    top = max(values) or 1.0
    step = SPARK_WIDTH / (len(values) - 1)
    return " ".join(
        f"{n * step:.1f},{SPARK_HEIGHT - 1 - value / top * (SPARK_HEIGHT - 2):.1f}" for n, value in enumerate(values)
    )
