"""The question of a request: its period, steps, groups and filters. Shared by all endpoints of analytics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.questions.dimensions import Dimension
from analytics.questions.periods import Granularity, Period, steps

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_GROUPS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """A period, and how to count in it.

    `filters` holds values by dimension name as they were given, `client_id` the one client whose figures the caller may
    see (`ApiClient.pk`; None: everybody's), `limit` how many groups to list. `named`: a dimension whose messages
    without a value are left out.
    """

    period: Period
    granularity: Granularity | None = None
    group_by: tuple[Dimension, ...] = ()
    filters: Mapping[str, str | int] | None = None
    client_id: int | None = None
    limit: int = DEFAULT_LIMIT
    named: Dimension | None = None

    @property
    def steps(self) -> list[datetime]:
        """The beginning of each step in UTC; without a granularity the period is one step. Raises BadPeriod."""
        return steps(self.period, self.granularity) if self.granularity else [self.period.since]
