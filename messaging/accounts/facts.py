"""Facts from webhooks about an account or one of its numbers."""

from collections.abc import Mapping

from django.db.models import Q

from messaging.models import Account, BusinessNumber


def record_account(waba_id: str, *, allow_empty: bool = False, **facts: str) -> None:
    """Store what a webhook says about an account; an unknown one is added. Empty facts are left out, unless allowed."""
    if not waba_id.isdigit():
        return
    given = {name: value for name, value in facts.items() if value or allow_empty}
    Account.objects.update_or_create(waba_id=waba_id, defaults=given)


def record_number(which: Q, facts: Mapping[str, str]) -> list[int]:
    """Store what a webhook says about numbers, and return their ids. Empty facts change nothing."""
    given = {name: value for name, value in facts.items() if value}
    rows = BusinessNumber.objects.select_for_update(no_key=True).filter(which).order_by("pk")
    ids = [row.pk for row in rows]
    if given:
        BusinessNumber.objects.filter(pk__in=ids).update(**given)
    return ids
