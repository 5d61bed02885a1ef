"""Template filters for readings: short, with a dash for unknown values."""

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils import timezone

from monitoring.metrics.window import GAP_S
from waproject.web.number_formats import HOUR, UNKNOWN, count, duration, percent

register = template.Library()
for readings_filter in (count, duration, percent):
    register.filter(readings_filter)

SPARK_WIDTH, SPARK_HEIGHT = 120, 28


@register.filter
def per_second(value: float | None) -> str:
    """0.25/s, 3.4/s, 80/s."""
    if value is None:
        return UNKNOWN
    return f"{value:.0f}/s" if value >= 10 or value == 0 else f"{value:.2g}/s"  # noqa: PLR2004


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
