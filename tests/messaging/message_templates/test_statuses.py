"""Webhooks about templates, in any order."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from messaging.message_templates import StatusChange, TemplateKey, record_category, record_quality, record_status
from messaging.message_templates.schedule import claim_syncs
from messaging.models import Account, Template
from tests.messaging.lock_order import locks
from tests.messaging.sandbox.graph_api.calls import WABA

pytestmark = pytest.mark.django_db
OFFER = TemplateKey(WABA, "offer", "en")
NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


def hear(event: str, minutes: int = 0) -> bool:
    return record_status(OFFER, event, reason="", at=NOON + timedelta(minutes=minutes)) is not None


@pytest.mark.parametrize(
    ("event", "status"), [("PAUSED", "PAUSED"), ("UNPAUSED", "APPROVED"), ("REINSTATED", "APPROVED"), ("NEWS", "NEWS")]
)
def test_the_event_of_a_webhook_is_the_status(account: Account, event: str, status: str) -> None:
    hear(event)
    assert Template.objects.get().status == status


def test_a_late_webhook_does_not_undo_a_newer_one(account: Account) -> None:
    heard = [hear("APPROVED", 5), hear("PAUSED", 1)]
    assert (heard, Template.objects.get().status) == ([True, False], "APPROVED")


def test_of_two_webhooks_of_one_second_the_later_one_counts(account: Account) -> None:
    heard = [hear("APPROVED", 5), hear("PAUSED", 5)]
    assert (heard, Template.objects.get().status) == ([True, True], "PAUSED")


def test_a_change_has_the_status_before_and_the_reason(account: Account) -> None:
    said = [
        record_status(OFFER, event, reason=reason, at=NOON) for event, reason in (("PAUSED", "why"), ("UNPAUSED", ""))
    ]
    assert said == [StatusChange(OFFER, "", "PAUSED", "why"), StatusChange(OFFER, "PAUSED", "APPROVED", "")]


def test_a_status_is_stored_with_its_reason_and_time(account: Account) -> None:
    record_status(OFFER, "REJECTED", reason="r" * 300, at=NOON, category="UTILITY")
    record_status(OFFER, "REJECTED", reason="r" * 300, at=NOON)
    row = Template.objects.get()
    assert (row.reason, row.status_at, row.category, row.approved_at) == ("r" * 255, NOON, "UTILITY", None)
    assert row.updated_at > NOON


def test_a_category_that_a_status_names_is_stored(account: Account) -> None:
    Template.objects.create(account=account, name="offer", language="en", category="UTILITY")
    record_status(OFFER, "APPROVED", reason="", at=NOON, category="MARKETING")
    row = Template.objects.get()
    assert (row.category, row.approved_at is None) == ("MARKETING", False)


@pytest.mark.parametrize(
    ("synced", "template_id", "event", "is_due"),
    [
        (None, "1", "PAUSED", False),
        (-1, "1", "PAUSED", False),
        (0, "1", "PAUSED", False),
        (1, "1", "PAUSED", True),
        (-1, "", "PAUSED", True),
        (-1, "1", "DELETED", True),
    ],
)
def test_an_event_has_its_account_synced_if_the_last_sync_may_be_wrong(
    synced: int | None, template_id: str, event: str, is_due: bool, account: Account
) -> None:
    synced_at = None if synced is None else NOON + timedelta(minutes=synced)
    Account.objects.update(templates_due_at=timezone.now() + timedelta(hours=1), templates_synced_at=synced_at)
    Account.objects.create(waba_id="other", templates_due_at=timezone.now() + timedelta(hours=1))
    Template.objects.create(account=account, name="offer", language="en", template_id=template_id)
    hear(event)
    assert [due.waba_id for due in claim_syncs(5)] == ([WABA] if is_due else [])


def test_the_account_is_locked_before_its_template(account: Account) -> None:
    Template.objects.create(account=account, name="offer", language="en")
    assert locks(lambda: hear("PAUSED")) == [
        "messaging_account by None: NO KEY UPDATE",
        "messaging_template by None: UPDATE",
    ]


def test_an_unknown_account_is_added_with_its_template(db: None) -> None:
    hear("PAUSED")
    assert Template.objects.get().account.waba_id == WABA


def test_a_deleted_template_is_removed(account: Account) -> None:
    hear("DELETED")
    removed_at = Template.objects.get().removed_at
    hear("APPROVED")
    assert (removed_at is None, Template.objects.get().removed_at) == (False, None)


def test_a_quality_and_a_category_are_those_of_one_template(account: Account) -> None:
    other = Account.objects.create(waba_id="other")
    for owner, name, language in ((account, "offer", "en"), (account, "offer", "de"), (account, "bill", "en")):
        Template.objects.create(account=owner, name=name, language=language)
    Template.objects.create(account=other, name="offer", language="en")
    record_quality(OFFER, "RED", NOON)
    record_category(OFFER, "MARKETING", NOON)
    for changed in (Template.objects.filter(quality="RED"), Template.objects.filter(category="MARKETING")):
        assert [(row.account, row.name, row.language) for row in changed] == [(account, "offer", "en")]


@pytest.mark.parametrize("record", [record_quality, record_category])
def test_a_fact_that_is_too_long_is_cut_to_its_column(
    record: Callable[[TemplateKey, str, datetime], None], account: Account
) -> None:
    Template.objects.create(account=account, name="offer", language="en", updated_at=NOON)
    record(OFFER, "X" * 50, NOON)
    row = Template.objects.get()
    assert {"X" * 20, "X" * 40} & {row.quality, row.category}
    assert row.updated_at > NOON


@pytest.mark.parametrize("language", ["en", ""])
def test_quality_and_category_are_stored(account: Account, language: str) -> None:
    Template.objects.create(account=account, name="offer", language="en")
    key = TemplateKey(WABA, "offer", language)
    record_quality(key, "RED", NOON)
    record_category(key, "marketing", NOON)
    row = Template.objects.get()
    assert (row.quality, row.category) == ("RED", "MARKETING")
