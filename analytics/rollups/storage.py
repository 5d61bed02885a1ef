"""Storage of a recount: it replaces the counts of a quarter of an hour, of its views, and those of its hour."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from analytics.rollups.dimension_views import ALL, COLUMNS, DAY_VIEWS, EVERYWHERE, NO_DURATIONS, NOTHING, VIEWS, WHOLE
from analytics.rollups.facts import FACTS, parameters
from analytics.rollups.histogram import PLACES, Kind
from analytics.rollups.locks import DIMENSIONS_FOR_MISSING, lock_hour
from analytics.rollups.quarters import HOUR, ids_of

logger = logging.getLogger(__name__)

MEASURES = ("messages", "accepted", "sent", "delivered", "read", "answered", "failed", "opened", "responded")
_BINS = tuple(f"p{place}" for place in range(PLACES))
DIMENSIONS, COUNTS, BINS = ", ".join(COLUMNS), ", ".join(MEASURES), ", ".join(_BINS)
COUNT_SUMS = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
BIN_SUMS = ", ".join(f"sum({name}) AS {name}" for name in _BINS)

# SHA-256 over all of it, with the length before each part, so that no two texts can be one.
DIGEST = (
    "encode(substr(sha256(convert_to(concat_ws(E'\\n', "
    + ", ".join(f"length({name}::text) || ' ' || {name}" for name in COLUMNS)
    + "), 'UTF8')), 1, 16), 'hex')::uuid"
)
# Stores `counted` and `timed`, which come before it. One transaction at a time stores new dimensions, until it ends, so
# that two cannot deadlock. What another one stored meanwhile is not in this statement's snapshot, but the conflict
# returns it. Rows are inserted by view, so that those of one view are in few pages.
_STORE = f"""
, numbered AS MATERIALIZED (SELECT *, {DIGEST} AS digest FROM counted
), clocked AS MATERIALIZED (SELECT *, {DIGEST} AS digest FROM timed
), wanted AS MATERIALIZED (
  SELECT digest, {DIMENSIONS} FROM numbered UNION SELECT digest, {DIMENSIONS} FROM clocked
), missing AS MATERIALIZED (
  SELECT * FROM wanted w WHERE NOT EXISTS (SELECT FROM analytics_dimensions d WHERE d.digest = w.digest)
), turn AS MATERIALIZED (
  {DIMENSIONS_FOR_MISSING}
), made AS (
  INSERT INTO analytics_dimensions (digest, {DIMENSIONS}) SELECT digest, {DIMENSIONS} FROM missing CROSS JOIN turn
  ON CONFLICT (digest) DO UPDATE SET digest = EXCLUDED.digest RETURNING id, digest
), known AS MATERIALIZED (
  SELECT d.id, d.digest FROM wanted w JOIN analytics_dimensions d ON d.digest = w.digest
  UNION ALL SELECT id, digest FROM made
), histogram AS (
  INSERT INTO analytics_histogram (minutes, view, start, dimensions_id, kind, {BINS})
  SELECT %(minutes)s, c.view, %(start)s, k.id, c.kind, {BINS} FROM clocked c JOIN known k ON k.digest = c.digest
  ORDER BY c.view, k.id
), rollup AS (
  INSERT INTO analytics_rollup (minutes, view, start, dimensions_id, {COUNTS})
  SELECT %(minutes)s, n.view, %(start)s, k.id, {COUNTS} FROM numbered n JOIN known k ON k.digest = n.digest
  ORDER BY n.view, k.id
  RETURNING messages
)
"""  # noqa: S608 - names of columns
_MESSAGES = "SELECT COALESCE(sum(messages), 0) FROM rollup"
# The trail alone has these durations and the time of a delivery, and once it has them they stay. An answer's time comes
# from messages.
_TRACED = (Kind.ACCEPT, Kind.DELIVERY, Kind.READ)
_DURATIONS = ", ".join(
    f"(SELECT COALESCE(sum({' + '.join(_BINS)}), 0) FROM {{histogram}} kind = {int(kind)})"  # noqa: S608
    for kind in _TRACED
)
_QUARTER = f"""
WITH {FACTS} {_STORE}
SELECT (SELECT count(*) FROM message WHERE untraced), {_DURATIONS.format(histogram="timed WHERE")},
  COALESCE(sum(messages), 0) FROM rollup
"""  # noqa: S608 - names of columns
_OF_QUARTER = f"analytics_histogram WHERE minutes = 15 AND view = {WHOLE} AND start = %(start)s AND"


def _views(views: Mapping[int, tuple[str, ...]], without: frozenset[str] = frozenset()) -> tuple[str, str, str]:
    """The number of a view, its columns, and the sets to group by, as SQL; views that lack `without` alone are left
    out."""
    own = {view: [name for name in names if name not in without] for view, names in views.items()}
    used = {view: names for view, names in own.items() if names or not views[view]}
    # A view is known by its first column, which no other has.
    *others, last = sorted(used, key=lambda view: bool(used[view]), reverse=True)
    cases = " ".join(f"WHEN GROUPING({used[view][0]}) = 0 THEN {view}" for view in others)
    free = {name for names in used.values() for name in names}
    columns = [_column(name, name in free) for name in COLUMNS]
    sets = ", ".join(f"({', '.join((*EVERYWHERE, *names))})" for names in used.values())
    return f"CASE {cases} ELSE {last} END AS view", ", ".join(columns), sets


def _column(name: str, used: bool) -> str:
    if name in EVERYWHERE:
        return name
    return f"COALESCE({name}, {NOTHING[name]}) AS {name}" if used else f"{NOTHING[name]} AS {name}"


def _view_statement(views: Mapping[int, tuple[str, ...]], *, timed: bool) -> str:
    """Counts `views` from view 0 of the same length and start, and durations of them where they are `timed`."""
    number, columns, sets = _views(views)
    durations = f"SELECT r.*, {DIMENSIONS} FROM analytics_histogram r CROSS JOIN analytics_dimensions d LIMIT 0"  # noqa: S608
    if timed:
        timed_number, timed_columns, timed_sets = _views(views, NO_DURATIONS)
        timed_sets = ", ".join(f"({one.strip('()')}, kind)" for one in timed_sets.split("), ("))
        durations = f"""
        SELECT {timed_number}, {timed_columns}, kind, {BIN_SUMS}
        FROM analytics_histogram r JOIN analytics_dimensions d ON d.id = r.dimensions_id
        WHERE r.minutes = %(minutes)s AND r.view = {WHOLE} AND r.start = %(start)s GROUP BY GROUPING SETS ({timed_sets})
        """  # noqa: S608 - names of columns
    return f"""
    WITH counted AS MATERIALIZED (
      SELECT {number}, {columns}, {COUNT_SUMS}
      FROM analytics_rollup r JOIN analytics_dimensions d ON d.id = r.dimensions_id
      WHERE r.minutes = %(minutes)s AND r.view = {WHOLE} AND r.start = %(start)s GROUP BY GROUPING SETS ({sets})
    ), timed AS MATERIALIZED ({durations}) {_STORE} {_MESSAGES}"""  # noqa: S608 - names of columns


_VIEWS = _view_statement(VIEWS, timed=True)
# Durations of these are as many as those of view 0, which has no more dimensions of durations.
_DAY_VIEWS = _view_statement(DAY_VIEWS, timed=False)
_DELETE = """
WITH histogram AS (
  DELETE FROM analytics_histogram WHERE minutes = %(minutes)s AND view = ANY(%(views)s) AND start = %(start)s
)
DELETE FROM analytics_rollup WHERE minutes = %(minutes)s AND view = ANY(%(views)s) AND start = %(start)s
"""
# Deletes a quarter's counts, and says what they had from the trail.
_TAKE_QUARTER = f"""
WITH histogram AS (DELETE FROM {_OF_QUARTER} true), rollup AS (
  DELETE FROM analytics_rollup WHERE minutes = 15 AND view = {WHOLE} AND start = %(start)s
)
SELECT EXISTS (SELECT FROM analytics_charge WHERE bucket = %(start)s), {_DURATIONS.format(histogram=_OF_QUARTER)}
"""  # noqa: S608 - names of columns


def _sums(pieces: int) -> tuple[str, str]:
    """The statements that sum up this many ranges of finer rollups. Each range is written out: for a join with a table
    of ranges, the planner would read all rollups."""
    ranges = " UNION ALL ".join(
        f"SELECT * FROM {{table}} WHERE minutes = %(finer{n})s AND view = ANY(%(views)s) AND start >= %(low{n})s "  # noqa: S608
        f"AND start < %(high{n})s"
        for n in range(pieces)
    )
    return (
        f"""
        INSERT INTO analytics_rollup (minutes, view, start, dimensions_id, {COUNTS})
        SELECT %(minutes)s, view, %(start)s, dimensions_id, {COUNT_SUMS}
        FROM ({ranges.format(table="analytics_rollup")}) AS finer
        GROUP BY view, dimensions_id ORDER BY view, dimensions_id
        """,  # noqa: S608
        f"""
        INSERT INTO analytics_histogram (minutes, view, start, dimensions_id, kind, {BINS})
        SELECT %(minutes)s, view, %(start)s, dimensions_id, kind, {BIN_SUMS}
        FROM ({ranges.format(table="analytics_histogram")}) AS finer
        GROUP BY view, dimensions_id, kind ORDER BY view, dimensions_id
        """,  # noqa: S608
    )


def succeeds(count: Callable[[], None]) -> bool:
    """Do a count, in a transaction; False if it fails, as by the statement timeout: then it has stored nothing.

    Raises if the connection is lost.
    """
    try:
        with transaction.atomic():
            count()
    except DatabaseError as error:
        if not connection.is_usable():
            raise
        logger.error("a count failed: %s", type(error).__name__)
        return False
    return True


@contextmanager
def hour_locked(hour: datetime) -> Iterator[None]:
    """Count quarters of this hour inside; it is summed up at the end. In a transaction."""
    with connection.cursor() as cursor:
        lock_hour(cursor, hour)
        yield
        sum_up(cursor, 60, hour, [(15, hour, hour + HOUR)])


def write_quarter(start: datetime, at_least: int) -> int | None:
    """Replace the counts of a quarter of an hour, then its views; returns how many messages it has.

    Fewer than `at_least` are the rest of deleted ones: then its counts stay and the answer is None. So it is where
    entries of the trail that were counted before are deleted; not if `at_least` is 0.
    """
    with connection.cursor() as cursor:
        messages = _write_whole(cursor, start, at_least)
        _delete(cursor, 15, start, tuple(VIEWS))
        cursor.execute(_VIEWS, {"minutes": 15, "start": start})
    return messages


def _write_whole(cursor: Any, start: datetime, at_least: int) -> int | None:
    savepoint = transaction.savepoint()
    cursor.execute(_TAKE_QUARTER, {"start": start})
    has_charges, *before = cursor.fetchone()
    low, high = ids_of(start)
    cursor.execute(_QUARTER, {"minutes": 15, "start": start, **parameters(low, high)})
    untraced, *durations, messages = cursor.fetchone()
    is_trail_gone = (has_charges and untraced) or any(new < old for new, old in zip(durations, before, strict=True))
    if messages < at_least or (at_least and is_trail_gone):
        transaction.savepoint_rollback(savepoint)
        return None
    transaction.savepoint_commit(savepoint)
    return int(messages)


def sum_up(cursor: Any, minutes: int, start: datetime, finer: list[tuple[int, datetime, datetime]]) -> None:
    """Replace the rollup that begins at `start` with the sum of finer ones, given as (minutes, low, high)."""
    _delete(cursor, minutes, start, ALL)
    values: dict[str, Any] = {"minutes": minutes, "start": start, "views": list(ALL)}
    for n, (length, low, high) in enumerate(finer):
        values |= {f"finer{n}": length, f"low{n}": low, f"high{n}": high}
    for statement in _sums(len(finer)):
        cursor.execute(statement, values)


def count_day_views(cursor: Any, minutes: int, start: datetime) -> None:
    """Count the views that days alone have, from the day's own view 0."""
    _delete(cursor, minutes, start, tuple(DAY_VIEWS))
    cursor.execute(_DAY_VIEWS, {"minutes": minutes, "start": start})


def _delete(cursor: Any, minutes: int, start: datetime, views: tuple[int, ...]) -> None:
    cursor.execute(_DELETE, {"minutes": minutes, "start": start, "views": list(views)})
