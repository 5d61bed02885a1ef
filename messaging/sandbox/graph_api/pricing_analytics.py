"""The field ``pricing_analytics`` of the account: what was delivered, charged by the prices of the statuses.

https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics#pricing-analytics
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import phonenumbers

from .. import graph_errors
from ..ledger import Entry
from ..pricing import RATES, REGULAR
from ..users.user import User

FIELD = "pricing_analytics"
DIMENSIONS = ("COUNTRY", "PHONE", "PRICING_CATEGORY", "PRICING_TYPE")
_KEYS = {"COUNTRY": "country", "PHONE": "phone_number", "PRICING_CATEGORY": "pricing_category"}
_REQUESTED = re.compile(rf"(?:^|,){FIELD}((?:\.[a-z_]+\([^()]*\))*)")
_ARGUMENT = re.compile(r"\.([a-z_]+)\(([^()]*)\)")
_UNIX_SECONDS = re.compile(r"[0-9]{1,15}")
_SECONDS = {"HALF_HOUR": 1800, "DAILY": 86400}
_PLACES = 6


def pricing_analytics(fields: str, entries: Iterable[Entry]) -> dict[str, Any]:
    """The field's value for the request's ``fields``. Raises GraphError for parameters that Meta does not take."""
    found = _REQUESTED.search(fields)
    given = dict(_ARGUMENT.findall(found[1])) if found else {}
    start, end = (_seconds(given, name) for name in ("start", "end"))
    granularity = given.get("granularity", "")
    if granularity not in {*_SECONDS, "MONTHLY"}:
        raise graph_errors.invalid_parameter("Param granularity must be one of {HALF_HOUR, DAILY, MONTHLY}")
    dimensions = [name.strip(' "[]') for name in given.get("dimensions", "").split(",") if name.strip(' "[]')]
    if unknown := set(dimensions) - set(DIMENSIONS):
        raise graph_errors.invalid_parameter(f"Param dimensions[0] must be one of {DIMENSIONS}: {min(unknown)}")
    volumes: dict[tuple[tuple[str, Any], ...], list[float]] = {}
    for entry in entries:
        at = delivered_at(entry)
        if at is not None and start <= at < end:
            key = (*_period(at, granularity), *((_key(name), _value(entry, name)) for name in dimensions))
            sums = volumes.setdefault(key, [0, 0.0])
            sums[0] += 1
            sums[1] += RATES.get(entry.price.category, 0.0) if entry.price.type == REGULAR else 0.0
    points = [{**dict(key), "volume": int(n), "cost": round(cost, _PLACES)} for key, (n, cost) in volumes.items()]
    return {"data": [{"data_points": points}]}


def delivered_at(entry: Entry) -> float | None:
    """When the message was delivered, in Unix seconds; None while it is not."""
    return next((report.at for report in entry.statuses if report.status in {"delivered", "read"}), None)


def country_of(user: User) -> str:
    """The ISO code of a user's country."""
    if user.wa_id is None:
        return user.user_id[:2]
    try:
        number = phonenumbers.parse(f"+{user.wa_id}")
    except phonenumbers.NumberParseException:
        return "ZZ"
    return phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )


def _key(dimension: str) -> str:
    return _KEYS.get(dimension, "pricing_type")


def _value(entry: Entry, dimension: str) -> str:
    if dimension == "COUNTRY":
        return country_of(entry.message.recipient)
    if dimension == "PHONE":
        return entry.phone_number_id
    text = entry.price.category if dimension == "PRICING_CATEGORY" else entry.price.type
    return text.replace("-", "_").upper()


def _seconds(given: dict[str, str], name: str) -> int:
    if not _UNIX_SECONDS.fullmatch(given.get(name, "")):
        raise graph_errors.invalid_parameter(f"The parameter {name} is required.")
    return int(given[name])


def _period(at: float, granularity: str) -> tuple[tuple[str, int], tuple[str, int]]:
    if granularity == "MONTHLY":
        first = datetime.fromtimestamp(at, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        return ("start", int(first.timestamp())), ("end", int(following.timestamp()))
    length = _SECONDS[granularity]
    start = int(at // length * length)
    return ("start", start), ("end", start + length)
