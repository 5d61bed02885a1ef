"""Business numbers in signed webhooks: unknown ones are added, missing account ids and display numbers filled in."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from messaging.models import Account, BusinessNumber
from messaging.whatsapp.inbound import InboundMessage
from messaging.whatsapp.inbound.updates import StatusUpdate

NUMBER_ID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class NumberDetails:
    """A business number as a webhook describes it; missing details are empty."""

    phone_number_id: str
    display_phone_number: str
    waba_id: str


def number_details(update: InboundMessage | StatusUpdate) -> NumberDetails:
    """The business number of an update."""
    return NumberDetails(
        number_id(update),
        (update.display_phone_number or "")[:NUMBER_ID_LENGTH],
        (update.waba_id or "")[:NUMBER_ID_LENGTH],
    )


def number_id(update: InboundMessage | StatusUpdate) -> str:
    """Meta's id of the business number; empty if missing or too long."""
    found = update.phone_number_id or ""
    return found if len(found) <= NUMBER_ID_LENGTH else ""


def numbers_of_messages(messages: Iterable[InboundMessage], others: set[str]) -> dict[str, BusinessNumber]:
    """The business numbers by Meta's id. A signed webhook names only our own numbers, so unknown ones are added."""
    by_id = {number_id(message): number_details(message) for message in messages}
    wanted = {*by_id, *others}
    if not wanted:
        return {}
    known = {row.phone_number_id: row for row in BusinessNumber.objects.filter(phone_number_id__in=wanted)}
    incomplete = [one for pk, one in by_id.items() if pk in known and _lacks(known[pk], one)]
    missing = [
        BusinessNumber(
            phone_number_id=one.phone_number_id,
            display_phone_number=one.display_phone_number,
            waba_id=one.waba_id,
        )
        for pk, one in sorted(by_id.items())
        if pk not in known
    ]
    if missing:
        _store_accounts(one.waba_id for one in by_id.values())
        BusinessNumber.objects.bulk_create(missing, ignore_conflicts=True)
    fill_in(incomplete)
    if missing or incomplete:
        known.update({row.phone_number_id: row for row in BusinessNumber.objects.filter(phone_number_id__in=by_id)})
    return known


def fill_in(numbers: Iterable[NumberDetails]) -> None:
    """Fill in empty account ids and display numbers; known values are not overwritten."""
    ordered = sorted({one.phone_number_id: one for one in numbers}.values(), key=lambda one: one.phone_number_id)
    if not ordered:
        return
    _store_accounts(one.waba_id for one in ordered)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH named AS (
              SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) AS t(phone_number_id, display, waba_id)
            ), locked AS (
              SELECT n.id FROM messaging_businessnumber n JOIN named USING (phone_number_id)
              ORDER BY n.id FOR NO KEY UPDATE OF n
            )
            UPDATE messaging_businessnumber n SET
              display_phone_number = COALESCE(NULLIF(n.display_phone_number, ''), named.display),
              waba_id = COALESCE(NULLIF(n.waba_id, ''), named.waba_id)
            FROM named, locked WHERE n.phone_number_id = named.phone_number_id AND n.id = locked.id
            """,
            [
                [one.phone_number_id for one in ordered],
                [one.display_phone_number for one in ordered],
                [one.waba_id for one in ordered],
            ],
        )


def _store_accounts(waba_ids: Iterable[str]) -> None:
    """Store the accounts that are not known yet; the next sync asks Meta for their facts."""
    named = sorted({waba_id for waba_id in waba_ids if waba_id.isdigit()})
    Account.objects.bulk_create([Account(waba_id=waba_id) for waba_id in named], ignore_conflicts=True)


def _lacks(row: BusinessNumber, one: NumberDetails) -> bool:
    return bool((not row.waba_id and one.waba_id) or (not row.display_phone_number and one.display_phone_number))
