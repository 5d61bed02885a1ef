"""The business number that a message is sent from."""

from collections.abc import Iterable

from django.conf import settings

from messaging.models import BusinessNumber
from waproject.ttl_cache import TtlCache

# Requests share rows for a second. Only a warning depends on a row's pause; the dispatcher reads pace and pause itself.
CACHED_S = 1.0
_cache = TtlCache[str | None, BusinessNumber](CACHED_S)


class UnknownNumber(ValueError):
    """No business number has the id that a request names as its sender."""

    def __str__(self) -> str:
        return f"No business number has the id {self.args[0]!r}."


def sending_numbers(ids: Iterable[str | None]) -> dict[str | None, BusinessNumber]:
    """Our numbers by Meta's id, None for the default one (WA_PHONE_NUMBER_ID); unknown ids are left out.

    Rows may be CACHED_S old; only their identity never changes.
    """
    wanted = set(ids)
    found = {name: row for name in wanted if (row := _cache.get(name)) is not None}
    if missing := wanted - found.keys():
        looked_up = _look_up(missing)
        _cache.update(looked_up)
        found.update(looked_up)
    return found


def _look_up(wanted: set[str | None]) -> dict[str | None, BusinessNumber]:
    found: dict[str | None, BusinessNumber] = {}
    if named := wanted - {None}:
        found.update({row.phone_number_id: row for row in BusinessNumber.objects.filter(phone_number_id__in=named)})
    if None in wanted:
        found[None] = BusinessNumber.objects.get_or_create(phone_number_id=settings.WA_PHONE_NUMBER_ID)[0]
    return found


def sending_number(phone_number_id: str | None = None) -> BusinessNumber:
    """One of our numbers, as in `sending_numbers`. Raises UnknownNumber."""
    try:
        return sending_numbers([phone_number_id])[phone_number_id]
    except KeyError:
        raise UnknownNumber(phone_number_id) from None


def clear_number_cache() -> None:
    """Make the next call read the database."""
    _cache.clear()
