"""Retention rules: which setting holds the period, and one step of deletion. Each app registers its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: the last key that it looked at, how many rows it removed, and whether no older row is left."""

    position: str
    removed: int
    is_end: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of data.

    setting: the name of the setting with the period in days; 0: no deletion.
    min_days: a shorter period would break what still needs the rows.
    step(cutoff, position): removes some rows older than `cutoff` whose key comes after `position` ("": all keys), in
    the order of their keys. Runs inside a transaction and takes a few milliseconds.
    """

    name: str
    about: str
    setting: str
    min_days: int
    step: Callable[[datetime, str], Step]

    @property
    def days(self) -> int:
        """The period in days; 0: no deletion."""
        return int(getattr(settings, self.setting))

    def cutoff(self) -> datetime | None:
        """The time before which rows are removed; None: never."""
        return timezone.now() - timedelta(days=self.days) if self.days else None


@dataclass(frozen=True, slots=True)
class OldRows:
    """A step for tables whose integer keys grow with an unchanging time, except among rows of about the same time: it
    deletes the rows with the lowest keys if they are old enough.

    The position stays before the first young row. The pass ends when none of the `rows` rows after it is old.
    """

    table: str
    time: str
    rows: int = 500

    def __call__(self, cutoff: datetime, position: str) -> Step:
        """Delete up to `rows` rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH next AS MATERIALIZED (
                  SELECT id, {self.time} AS at FROM {self.table}
                  WHERE id > %(position)s ORDER BY id LIMIT %(rows)s),
                gone AS (
                  DELETE FROM {self.table} t USING next
                  WHERE t.id = next.id AND next.at < %(cutoff)s RETURNING 1)
                SELECT (SELECT max(id) FROM next WHERE at < %(cutoff)s AND NOT EXISTS (
                    SELECT FROM next young WHERE young.id < next.id AND young.at >= %(cutoff)s)),
                  (SELECT count(*) FROM gone), (SELECT count(*) FROM next)
                """,  # noqa: S608 - names of this code
                {"position": int(position or 0), "rows": self.rows, "cutoff": cutoff},
            )
            last, removed, looked_at = cursor.fetchone()
        return Step(str(last) if last else position, removed, removed == 0 or looked_at < self.rows)


@dataclass(frozen=True, slots=True)
class OldRowsByTime:
    """A step for tables whose rows change their time: it deletes the oldest rows, by an index on the time."""

    table: str
    time: str
    rows: int = 500

    def __call__(self, cutoff: datetime, position: str) -> Step:
        """Delete up to `rows` rows. A row that is being changed is skipped: its time may change."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                DELETE FROM {self.table} WHERE id = ANY(ARRAY(
                  SELECT id FROM {self.table} WHERE {self.time} < %(cutoff)s
                  ORDER BY {self.time} LIMIT %(rows)s FOR UPDATE SKIP LOCKED))
                """,  # noqa: S608 - names of this code
                {"cutoff": cutoff, "rows": self.rows},
            )
            return Step("", cursor.rowcount, cursor.rowcount < self.rows)


_rules: dict[str, Rule] = {}


def register(*rules: Rule) -> None:
    """Add rules, at the start of the process."""
    _rules.update({rule.name: rule for rule in rules})


def registered() -> tuple[Rule, ...]:
    """All rules, in the order of their registration."""
    return tuple(_rules.values())
