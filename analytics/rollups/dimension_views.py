"""Views: rollups by a few dimensions only. Most questions need one or two, and a view has a tenth of the rows.

View 0 has all dimensions. Every view has number, client and direction, by which callers and pages are kept apart. Pure.
"""

from collections.abc import Iterable, Mapping

# Columns of `models.Dimensions`, in the order of the table.
COLUMNS = (
    "number_id", "client_id", "direction", "type", "template", "campaign", "country", "category", "price_type",
    "status", "error_code",
)  # fmt: skip
# What stands for "does not apply", as SQL.
NOTHING = {name: "0" if name in {"number_id", "client_id", "error_code"} else "''" for name in COLUMNS}
EVERYWHERE = ("number_id", "client_id", "direction")
WHOLE = 0
VIEWS: dict[int, tuple[str, ...]] = {
    1: (),
    2: ("template",),
    3: ("campaign",),
    4: ("country",),
    5: ("type", "category", "price_type"),
    6: ("status", "error_code"),
}
ALL = (WHOLE, *VIEWS)
# Of days alone: by most of the dimensions together. A day has a tenth of the rows of view 0 in each.
DAY_VIEWS: dict[int, tuple[str, ...]] = {
    7: ("country", "type", "template", "campaign", "category"),
    8: ("status", "error_code", "price_type", "type", "template", "campaign", "category"),
}
# Durations are not counted by these.
NO_DURATIONS = frozenset({"price_type", "status", "error_code"})


def view_of(columns: Iterable[str]) -> int:
    """The smallest view that has these columns, of any length of time."""
    return _smallest(VIEWS, columns)


def day_view_of(columns: Iterable[str]) -> int:
    """The smallest view of days that has these columns."""
    return _smallest({**VIEWS, **DAY_VIEWS}, columns)


def _smallest(views: Mapping[int, tuple[str, ...]], columns: Iterable[str]) -> int:
    needed = set(columns) - set(EVERYWHERE)
    return next((view for view, own in views.items() if needed <= set(own)), WHOLE)
