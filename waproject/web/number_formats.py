"""Numbers as short texts for pages, durations too, with a dash for what is unknown."""

UNKNOWN = "\N{EN DASH}"
MINUTE, HOUR, DAY = 60, 3600, 86400


def count(value: float | None) -> str:
    """12,345; a dash if unknown."""
    return UNKNOWN if value is None else f"{value:,.0f}"


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


def percent(share: float | None) -> str:
    """97.5 %; 100 % and 0 % only if exact."""
    if share is None:
        return UNKNOWN
    if share in {0, 1}:
        return f"{share:.0%}".replace("%", " %")
    return f"{min(99.9, max(0.1, share * 100)):.1f} %"
