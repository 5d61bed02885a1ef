"""Statuses, qualities and categories from webhooks, by Meta's time: a late webhook does not undo a newer one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q
from django.db.models.functions import Least, Now
from django.utils import timezone

from messaging.models import Account, Template

APPROVED, DELETED = "APPROVED", "DELETED"
# Events of a status webhook that say something other than the status that the template then has.
STATUS_AFTER: Mapping[str, str] = {"REINSTATED": APPROVED, "UNPAUSED": APPROVED}
# Events that leave the status as it is, or bring the one of before back without naming it.
FLAGGED, UNARCHIVED = "FLAGGED", "UNARCHIVED"
REASON_LENGTH = 255


@dataclass(frozen=True, slots=True)
class TemplateKey:
    """A template of an account in one language."""

    waba_id: str
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A template has the status `after`. `before` is empty for a template that was not known, or is the same."""

    template: TemplateKey
    before: str
    after: str
    reason: str = ""


def record_status(
    key: TemplateKey, event: str, *, reason: str, at: datetime, category: str = ""
) -> StatusChange | None:
    """Store the status of a template that a webhook names. None if a newer one is stored already. In a transaction.

    A template that is not stored yet is added without components: its parameters are not checked until the next sync,
    which is due then. `at`: Meta's time of the event.
    """
    status = STATUS_AFTER.get(event, event)
    account, _ = Account.objects.get_or_create(waba_id=key.waba_id)
    # As a sync locks it: the account before its templates.
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    row, created = Template.objects.select_for_update().get_or_create(
        account=account, name=key.name, language=key.language
    )
    if row.status_at is not None and row.status_at > at:
        return None
    if not row.template_id or (account.templates_synced_at or at) > at or status == DELETED:
        # Its components are not known, or the last sync may be newer than this event.
        request_sync(key.waba_id)
    before = "" if created else row.status
    row.status, row.reason, row.status_at, row.updated_at = status, reason[:REASON_LENGTH], at, timezone.now()
    row.removed_at = timezone.now() if status == DELETED else None
    if category and (row.category_at is None or row.category_at <= at):
        row.category, row.category_at = category, at
    row.save()
    if status == APPROVED:
        # By the clock of the database, as claims are.
        Template.objects.filter(pk=row.pk).update(approved_at=Now())
    return StatusChange(key, before, status, reason)


def record_quality(key: TemplateKey, quality: str, at: datetime) -> None:
    """Store the quality of a template; of all its languages where none is named. `at`: Meta's time of the event."""
    _record(key, "quality", quality[:20], at)


def record_category(key: TemplateKey, category: str, at: datetime) -> None:
    """Store the category of a template; of all its languages where none is named. `at`: Meta's time of the event."""
    _record(key, "category", category[:40].upper(), at)


def _record(key: TemplateKey, column: str, value: str, at: datetime) -> None:
    language = Q(language=key.language) if key.language else Q()
    not_newer = Q(**{f"{column}_at": None}) | Q(**{f"{column}_at__lte": at})
    rows = Template.objects.filter(language, not_newer, account__waba_id=key.waba_id, name=key.name)
    rows.update(**{column: value, f"{column}_at": at}, updated_at=timezone.now())
    if Account.objects.filter(waba_id=key.waba_id, templates_synced_at__gt=at).exists():
        # The last sync may be newer than this event.
        request_sync(key.waba_id)


def request_sync(waba_id: str) -> None:
    """Make the sync of this account due: `deliver` runs it within seconds."""
    now = timezone.now()
    Account.objects.filter(waba_id=waba_id).update(templates_due_at=Least(F("templates_due_at"), now))
