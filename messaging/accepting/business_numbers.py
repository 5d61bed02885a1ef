"""The choice of the business number that a message goes out from."""

import time
from collections.abc import Iterable

from django.conf import settings

from messaging.models import BusinessNumber

# Requests share rows for a second. Only a warning depends on a row's pause; the dispatcher reads pace and pause itself.
REMEMBERED_S = 1.0
_remembered: dict[str | None, tuple[float, BusinessNumber]] = {}


class UnknownNumber(ValueError):
    """The business number to send from is not one of ours."""

    def __str__(self) -> str:
        return f"No business number has the id {self.args[0]!r}."


def numbers_to_send_from(ids: Iterable[str | None]) -> dict[str | None, BusinessNumber]:
    """Our numbers by Meta's id, None for the default one (WA_PHONE_NUMBER_ID); unknown ids are left out.

    Only their identity is up to date: a row may be REMEMBERED_S old.
    """
    wanted = set(ids)
    now = time.monotonic()
    found = {
        name: row
        for name, (until, row) in ((name, _remembered.get(name, (0.0, None))) for name in wanted)
        if row is not None and now < until
    }
    if missing := wanted - found.keys():
        looked_up = _look_up(missing)
        _remembered.update({name: (now + REMEMBERED_S, row) for name, row in looked_up.items()})
        found.update(looked_up)
    return found


def _look_up(wanted: set[str | None]) -> dict[str | None, BusinessNumber]:
    found: dict[str | None, BusinessNumber] = {}
    if named := wanted - {None}:
        found.update({row.phone_number_id: row for row in BusinessNumber.objects.filter(phone_number_id__in=named)})
    if None in wanted:
        found[None] = BusinessNumber.objects.get_or_create(phone_number_id=settings.WA_PHONE_NUMBER_ID)[0]
    return found


def number_to_send_from(phone_number_id: str | None = None) -> BusinessNumber:
    """One of our numbers, as above. Raises UnknownNumber."""
    try:
        return numbers_to_send_from([phone_number_id])[phone_number_id]
    except KeyError:
        raise UnknownNumber(phone_number_id) from None


def forget_numbers() -> None:
    """Ask the database again at the next call."""
    _remembered.clear()
