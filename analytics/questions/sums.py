"""The two statements of all questions: sums of counts, and sums of histograms, by step and group."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection

from analytics.questions.asked import Asked
from analytics.questions.dimensions import Dimension
from analytics.questions.names import conditions, names
from analytics.questions.pieces import pieces
from analytics.rollups import Kind as Duration

Group = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums of `models.Rollup`'s measures; `failed` are outbound messages that are so now."""

    messages: int = 0
    inbound: int = 0
    outbound: int = 0
    accepted: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    answered: int = 0
    failed: int = 0
    opened: int = 0
    responded: int = 0


NOTHING = Counts()
NAMES = tuple(field.name for field in fields(Counts))
Histogram = dict[int, int]

_SUMS = """
  sum(messages) AS messages, COALESCE(sum(messages) FILTER (WHERE direction = 'inbound'), 0),
  COALESCE(sum(messages) FILTER (WHERE direction = 'outbound'), 0), sum(accepted), sum(sent), sum(delivered), sum(read),
  sum(answered), COALESCE(sum(messages) FILTER (WHERE direction = 'outbound' AND status = 'failed'), 0), sum(opened),
  sum(responded)
"""
# A day is read whole where its sums are up to date, else by its hours; both in one statement, so that no recount
# comes between.
_PIECES = """
piece AS MATERIALIZED (
  SELECT p.step, p.minutes, p.low, p.high
  FROM unnest(%(steps)s::int[], %(minutes)s::int[], %(lows)s::timestamptz[], %(highs)s::timestamptz[])
    AS p(step, minutes, low, high)
  WHERE p.minutes < 1440
  UNION ALL
  SELECT p.step, CASE WHEN EXISTS (
      SELECT FROM analytics_day c WHERE c.start = day.at AND c.dirty_since IS NULL) THEN 1440 ELSE 60 END,
    day.at, day.at + interval '24 hours'
  FROM unnest(%(steps)s::int[], %(minutes)s::int[], %(lows)s::timestamptz[], %(highs)s::timestamptz[])
    AS p(step, minutes, low, high)
  CROSS JOIN LATERAL generate_series(p.low, p.high - interval '24 hours', interval '24 hours') AS day(at)
  WHERE p.minutes = 1440
), dims AS MATERIALIZED (
  SELECT d.id, {columns} d.direction, d.status FROM analytics_dimensions d WHERE {conditions}
)
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts by step and group, and how many groups there are in all, of which the largest are here."""

    counts: dict[tuple[int, Group], Counts]
    groups: int


def count(asked: Asked, only: Sequence[Group] | None = None) -> Sums:
    """Sum counts by the question's steps and groups: at most `limit` groups, those with most messages, where it has no
    steps; `only` these where it has."""
    known = names()
    columns = _columns(asked.group_by)
    shaped, keys, values = _pieces(asked, columns)
    limit = "" if asked.granularity else "ORDER BY messages DESC, 2 LIMIT %(limit)s" if columns else ""
    sql = f"""WITH {shaped}
    SELECT step{keys}, {_SUMS}, count(*) OVER () FROM (
      SELECT p.step, r.dimensions_id, sum(r.messages) AS messages, sum(r.accepted) AS accepted, sum(r.sent) AS sent,
        sum(r.delivered) AS delivered, sum(r.read) AS read, sum(r.answered) AS answered, sum(r.opened) AS opened,
        sum(r.responded) AS responded
      FROM piece p JOIN analytics_rollup r ON r.minutes = p.minutes AND r.start >= p.low AND r.start < p.high
      GROUP BY 1, 2
    ) r JOIN dims ON dims.id = r.dimensions_id GROUP BY step{keys} {limit}"""  # noqa: S608
    rows = _fetch(sql, {**values, **_ranges(asked), "limit": asked.limit})
    found: dict[tuple[int, Group], list[int]] = {}
    width = len(columns)
    for row in rows:
        group = tuple(known.of(one, key) for one, key in zip(asked.group_by, row[1 : 1 + width], strict=True))
        if only is not None and group not in only:
            continue
        sums = found.setdefault((row[0], group), [0] * len(NAMES))
        found[row[0], group] = [a + int(b) for a, b in zip(sums, row[1 + width : -1], strict=True)]
    return Sums({key: Counts(*sums) for key, sums in found.items()}, rows[0][-1] if rows else 0)


def histograms(asked: Asked, kinds: Sequence[Duration]) -> dict[tuple[int, Group, int], Histogram]:
    """Histograms by step, group and kind. Filters by status, error code and price type do not apply to durations."""
    known = names()
    columns = _columns(asked.group_by)
    shaped, keys, values = _pieces(asked, columns)
    sql = f"""WITH {shaped}
    SELECT step, kind, place{keys}, sum(count) FROM (
      SELECT p.step, l.dimensions_id, l.kind, l.place, sum(l.count) AS count
      FROM piece p JOIN analytics_latency l ON l.minutes = p.minutes AND l.start >= p.low AND l.start < p.high
      WHERE l.kind = ANY(%(kinds)s) GROUP BY 1, 2, 3, 4
    ) l JOIN dims ON dims.id = l.dimensions_id GROUP BY step, kind, place{keys}"""  # noqa: S608
    found: dict[tuple[int, Group, int], Histogram] = defaultdict(dict)
    for step, kind, place, *group, total in _fetch(sql, {**values, **_ranges(asked), "kinds": [int(k) for k in kinds]}):
        name = tuple(known.of(one, key) for one, key in zip(asked.group_by, group, strict=True))
        histogram = found[step, name, kind]
        histogram[place] = histogram.get(place, 0) + int(total)
    return dict(found)


def _pieces(asked: Asked, columns: Sequence[str]) -> tuple[str, str, dict[str, Any]]:
    """The SQL of the period's pieces and the dimensions that count, the keys of groups (", g0, g1"), and its values."""
    filters, values = conditions(asked)
    named = "".join(f"d.{column} AS g{n}, " for n, column in enumerate(columns))
    keys = "".join(f", g{n}" for n in range(len(columns)))
    return _PIECES.format(columns=named, conditions=filters), keys, values


def _columns(group_by: Sequence[Dimension]) -> list[str]:
    return [dimension.column for dimension in group_by]


def _ranges(asked: Asked) -> dict[str, Any]:
    wanted = pieces(asked.steps, asked.period.until)
    return {
        "steps": [one.step for one in wanted],
        "minutes": [one.minutes for one in wanted],
        "lows": [one.low for one in wanted],
        "highs": [one.high for one in wanted],
    }


def _fetch(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


_BUSIEST = """
SELECT extract(isodow FROM local)::int, extract(hour FROM local)::int, sum(messages) FROM (
  SELECT r.start AT TIME ZONE %(zone)s AS local, sum(r.messages) AS messages
  FROM analytics_rollup r JOIN analytics_dimensions d ON d.id = r.dimensions_id
  WHERE r.minutes = %(minutes)s AND r.start >= %(since)s AND r.start < %(until)s AND {conditions}
  GROUP BY r.start
) quarter GROUP BY 1, 2
"""


def busiest(asked: Asked) -> dict[tuple[int, int], int]:
    """Messages by weekday (1 is Monday) and hour of the zone's clock, over the whole period."""
    filters, values = conditions(asked)
    period = asked.period
    # Only zones with whole hours can be summed by hour.
    whole = all(not period.local(at).minute and not at.minute for at in (period.since, period.until))
    values |= {
        "zone": str(period.zone),
        "minutes": 60 if whole else 15,
        "since": period.since,
        "until": period.until,
    }
    return {(day, hour): int(total) for day, hour, total in _fetch(_BUSIEST.format(conditions=filters), values)}
