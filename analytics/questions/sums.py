"""The two statements of all questions: sums of counts, and sums of histograms, by step and group."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection

from analytics.questions.dimensions import DIMENSIONS, Dimension, Kind
from analytics.questions.names import conditions, load_names
from analytics.questions.question import Question
from analytics.questions.rollup_ranges import rollup_ranges
from analytics.rollups import NO_DURATIONS, PLACES, WHOLE, are_empty, day_view_of, left_out_of, view_of
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
# By step, group and kind.
Durations = Mapping[tuple[int, Group, int], Histogram]

_SUMS = """
  sum(messages) AS messages, COALESCE(sum(messages) FILTER (WHERE direction = 'inbound'), 0),
  COALESCE(sum(messages) FILTER (WHERE direction = 'outbound'), 0), sum(accepted), sum(sent), sum(delivered), sum(read),
  sum(answered), sum(failed), sum(opened), sum(responded)
"""
# A day is read whole where its sums are up to date, else by its hours and the quarters at its ends; all in one
# statement, so that no recount comes between. OFFSET 0 below has the planner read each piece by the index, whatever
# it thinks of their number: a join of all could read all rollups.
_PIECES = """
wanted AS MATERIALIZED (
  SELECT p.step, p.minutes, p.low, p.high
  FROM unnest(%(steps)s::int[], %(minutes)s::smallint[], %(lows)s::timestamptz[], %(highs)s::timestamptz[])
    AS p(step, minutes, low, high)
), day AS MATERIALIZED (
  SELECT p.step, at,
    EXISTS (SELECT FROM analytics_day c WHERE c.start = at AND c.minutes = 1440 AND c.dirty_since IS NULL) AS clean
  FROM wanted p CROSS JOIN LATERAL generate_series(p.low, p.high - interval '24 hours', interval '24 hours') AS at
  WHERE p.minutes = 1440
), piece AS MATERIALIZED (
  SELECT step, minutes, %(view)s::smallint AS view, low, high FROM wanted WHERE minutes < 1440
  UNION ALL
  SELECT step, 1440, %(day_view)s, at, at + interval '15 minutes' FROM day WHERE clean
  UNION ALL
  SELECT step, part.minutes, %(view)s, part.low, part.high FROM (
    SELECT step, at, at + interval '24 hours' AS ending, date_trunc('hour', at + interval '45 minutes', 'UTC') AS first,
      date_trunc('hour', at + interval '24 hours', 'UTC') AS last
    FROM day WHERE NOT clean
  ) AS dirty CROSS JOIN LATERAL (VALUES
    (60::smallint, first, last), (15::smallint, at, first), (15::smallint, last, ending)
  ) AS part(minutes, low, high) WHERE part.low < part.high
)
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts by step and group, and how many groups there are in all, of which the largest are here."""

    counts: dict[tuple[int, Group], Counts]
    groups: int


def count(question: Question, only: Sequence[Group] | None = None) -> Sums:
    """Sum counts by the question's steps and groups: at most `limit` groups, those with most messages, where it has no
    steps; `only` these where it has."""
    known = load_names(question.group_by)
    filters, values = conditions(question)
    columns, keys = _columns(question.group_by), _keys(question.group_by)
    limit = "" if question.granularity else "ORDER BY messages DESC, 2 LIMIT %(limit)s" if columns else ""
    sql = f"""WITH {_PIECES}
    SELECT step{keys}, {_SUMS}, count(*) OVER () FROM (
      SELECT p.step, r.dimensions_id, sum(r.messages) AS messages, sum(r.accepted) AS accepted, sum(r.sent) AS sent,
        sum(r.delivered) AS delivered, sum(r.read) AS read, sum(r.answered) AS answered, sum(r.failed) AS failed,
        sum(r.opened) AS opened, sum(r.responded) AS responded
      FROM piece p CROSS JOIN LATERAL (
        SELECT * FROM analytics_rollup r
        WHERE r.minutes = p.minutes AND r.view = p.view AND r.start >= p.low AND r.start < p.high
          AND {_few(question, filters)} OFFSET 0) r
      GROUP BY 1, 2
    ) r {_joined(question, f"d.direction{columns}", filters)}
    GROUP BY step{keys} {limit}"""  # noqa: S608
    rows = _fetch(sql, {**values, **_ranges(question), "limit": question.limit})
    found: dict[tuple[int, Group], list[int]] = {}
    width = len(question.group_by)
    for row in rows:
        group = tuple(known.of(one, key) for one, key in zip(question.group_by, row[1 : 1 + width], strict=True))
        if only is not None and group not in only:
            continue
        sums = found.setdefault((row[0], group), [0] * len(NAMES))
        found[row[0], group] = [a + int(b) for a, b in zip(sums, row[1 + width : -1], strict=True)]
    return Sums({key: Counts(*sums) for key, sums in found.items()}, rows[0][-1] if rows else 0)


_BINS = tuple(f"p{place}" for place in range(PLACES))


def histograms(question: Question, kinds: Sequence[Duration], only: Collection[Group] | None = None) -> Durations:
    """Histograms by step, group and kind; `only` these groups are needed, where they are few of many.

    None where status, error code or price type are asked for, by which durations are not counted.
    """
    if _used(question) & NO_DURATIONS:
        return {}
    known = load_names(question.group_by)
    filters, values = conditions(question)
    needed = None if only is None else {*only}
    # Their columns of many values, by the places of these in a group.
    places = {} if only is None else {n: one.column for n, one in enumerate(question.group_by) if one.column in _MANY}
    wanted = {f"only_{column}": [group[n] for group in only or ()] for n, column in places.items()}
    found: dict[tuple[int, Group, int], Histogram] = defaultdict(dict)
    view = view_of(_used(question))
    width = len(question.group_by)
    for step, kind, *rest in _fetch(
        _histograms_sql(question, filters, [*places.values()]),
        {
            **values,
            **wanted,
            **_ranges(question),
            "day_view": view,
            "view": view,
            "kinds": [int(kind) for kind in kinds],
        },
    ):
        group = tuple(known.of(one, key) for one, key in zip(question.group_by, rest[:width], strict=True))
        if needed is not None and group not in needed:
            continue
        histogram = found[step, group, kind]
        for place, total in enumerate(rest[width:]):
            if total:
                histogram[place] = histogram.get(place, 0) + int(total)
    return dict(found)


def _histograms_sql(question: Question, filters: str, wanted: Sequence[str]) -> str:
    columns, keys = _columns(question.group_by), _keys(question.group_by)
    sums = ", ".join(f"sum({place}) AS {place}" for place in _BINS)
    return f"""WITH {_PIECES}
    SELECT step, kind{keys}, {sums} FROM (
      SELECT p.step, h.dimensions_id, h.kind, {sums}
      FROM piece p CROSS JOIN LATERAL (
        SELECT * FROM analytics_histogram h
        WHERE h.minutes = p.minutes AND h.view = p.view AND h.start >= p.low AND h.start < p.high
          AND h.kind = ANY(%(kinds)s) AND {_few(question, filters, wanted, NO_DURATIONS)} OFFSET 0) h
      GROUP BY 1, 2, 3
    ) h JOIN (SELECT d.id{columns} FROM analytics_dimensions d WHERE {filters}) d ON d.id = h.dimensions_id
    GROUP BY step, kind{keys}"""  # noqa: S608


# Columns with many values.
_MANY = {"template", "campaign", "country"}


def _few(question: Question, filters: str, wanted: Sequence[str] = (), empty: Set[str] = frozenset()) -> str:
    """The condition that reads the rows of a template, campaign or country alone, which the index knows, and those of
    the values of the `wanted` columns in the parameters `only_<column>`; the rows of other filters are too many.

    `empty`: columns that are so in all rows.
    """
    if not wanted and not _MANY & set(question.filters or {}):
        return "TRUE"
    if wanted:
        columns = ", ".join(f"d.{column}" for column in wanted)
        given = ", ".join(f"%(only_{column})s::text[]" for column in wanted)
        filters = f"{filters} AND ({columns}) IN (SELECT * FROM unnest({given}))"  # noqa: S608
    # Each piece sorts these ids anew: of all views there would be a hundred times as many.
    possible = are_empty(left_out_of(view_of(_used(question))) | empty, "d")
    ids = f"SELECT array_agg(d.id) FROM analytics_dimensions d WHERE {filters} AND {possible}"  # noqa: S608
    return f"dimensions_id = ANY(COALESCE(({ids}), '{{}}'))"


def _joined(question: Question, columns: str, filters: str) -> str:
    """The join of sums with these columns of their dimensions `d`. Those of a view by few columns are looked up one by
    one, some hundred: a join as the planner makes it reads all there are, which takes longer than all else."""
    if view_of(_used(question)) == WHOLE:
        return f"JOIN (SELECT d.id, {columns} FROM analytics_dimensions d WHERE {filters}) d ON d.id = r.dimensions_id"  # noqa: S608
    return f"""CROSS JOIN LATERAL (
      SELECT {columns} FROM analytics_dimensions d WHERE d.id = r.dimensions_id AND {filters} OFFSET 0) d"""  # noqa: S608


def _used(question: Question) -> set[str]:
    """The columns of dimensions that a question needs."""
    names = {one.name for one in question.group_by} | set(question.filters or {})
    return {DIMENSIONS[name].column for name in names}


# The numbers of an account are one group: a limit would leave some of them out.
_ACCOUNT = "COALESCE((SELECT n.waba_id FROM messaging_businessnumber n WHERE n.id = d.number_id), '')"


def _columns(group_by: Sequence[Dimension]) -> str:
    columns = (_ACCOUNT if one.kind == Kind.ACCOUNT else f"d.{one.column}" for one in group_by)
    return "".join(f", {column} AS g{n}" for n, column in enumerate(columns))


def _keys(group_by: Sequence[Dimension]) -> str:
    return "".join(f", g{n}" for n in range(len(group_by)))


def _ranges(question: Question) -> dict[str, Any]:
    wanted = rollup_ranges(question.steps, question.period.until)
    return {
        "steps": [one.step for one in wanted],
        "minutes": [one.minutes for one in wanted],
        "lows": [one.low for one in wanted],
        "highs": [one.high for one in wanted],
        "view": view_of(_used(question)),
        "day_view": day_view_of(_used(question)),
    }


def _fetch(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


_BUSIEST = """
SELECT extract(isodow FROM local)::int, extract(hour FROM local)::int, sum(messages) FROM (
  SELECT r.start AT TIME ZONE %(zone)s AS local, sum(r.messages) AS messages
  FROM analytics_rollup r
  WHERE r.minutes = %(minutes)s AND r.view = %(view)s AND r.start >= %(since)s AND r.start < %(until)s AND {chosen}
  GROUP BY r.start
) quarter GROUP BY 1, 2
"""


# Of all messages, each quarter of an hour knows its own number.
_BUSIEST_OF_ALL = """
SELECT extract(isodow FROM local)::int, extract(hour FROM local)::int, sum(messages) FROM (
  SELECT start AT TIME ZONE %(zone)s AS local, messages FROM analytics_bucket
  WHERE start >= %(since)s AND start < %(until)s AND messages > 0
) quarter GROUP BY 1, 2
"""


def busiest(question: Question) -> dict[tuple[int, int], int]:
    """Messages by weekday (1 is Monday) and hour of the zone's clock, over the whole period."""
    filters, values = conditions(question)
    period = question.period
    # Only zones with whole hours can be summed by hour.
    whole = all(not period.local(at).minute and not at.minute for at in (period.since, period.until))
    values |= {
        "zone": str(period.zone),
        "view": view_of(_used(question)),
        "minutes": 60 if whole else 15,
        "since": period.since,
        "until": period.until,
    }
    if filters == "TRUE":
        return {(day, hour): int(total) for day, hour, total in _fetch(_BUSIEST_OF_ALL, values)}
    chosen = _few(question, filters)
    if chosen == "TRUE":
        chosen = f"dimensions_id IN (SELECT d.id FROM analytics_dimensions d WHERE {filters})"  # noqa: S608
    return {(day, hour): int(total) for day, hour, total in _fetch(_BUSIEST.format(chosen=chosen), values)}
