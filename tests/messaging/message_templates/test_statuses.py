"""Webhooks about templates, in any order."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from messaging.message_templates import TemplateKey, record_category, record_quality, record_status
from messaging.message_templates.schedule import claim_syncs
from messaging.models import Account, Template
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


def test_an_unknown_account_is_added_with_its_template(db: None) -> None:
    hear("PAUSED")
    assert Template.objects.get().account.waba_id == WABA


def test_a_deleted_template_is_removed(account: Account) -> None:
    hear("DELETED")
    assert Template.objects.get().removed_at


@pytest.mark.parametrize("language", ["en", ""])
def test_quality_and_category_are_stored(account: Account, language: str) -> None:
    Template.objects.create(account=account, name="offer", language="en")
    key = TemplateKey(WABA, "offer", language)
    record_quality(key, "RED")
    record_category(key, "marketing")
    row = Template.objects.get()
    assert (row.quality, row.category) == ("RED", "MARKETING")


def test_a_template_without_components_is_synced_at_once(account: Account) -> None:
    Account.objects.update(templates_due_at=timezone.now() + timedelta(hours=1))
    hear("APPROVED")
    assert [due.waba_id for due in claim_syncs(5)] == [WABA]


def test_an_event_that_is_older_than_the_last_sync_has_it_repeated(account: Account) -> None:
    Account.objects.update(templates_due_at=timezone.now() + timedelta(hours=1), templates_synced_at=timezone.now())
    Template.objects.create(account=account, name="offer", language="en", template_id="1")
    hear("PAUSED")
    assert claim_syncs(5)
