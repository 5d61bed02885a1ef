"""The sync of templates by `deliver` and by `manage.py sync_templates`."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from messaging.message_templates import sync
from messaging.meta_events import template_sync
from messaging.meta_events.template_sync import claim_syncs, fetch, record
from messaging.models import Account, AuditEntry, Hold, Template
from messaging.whatsapp.errors import Rejected
from messaging.whatsapp.graph import GraphApi
from tests.messaging.meta_events.events import happens
from tests.messaging.sandbox.graph_api.calls import WABA
from tests.messaging.sandbox.process import Sandbox
from tests.messaging.slow_statement import take_too_long

pytestmark = pytest.mark.django_db


def deliver() -> None:
    record([fetch(due) for due in claim_syncs(5)])


def put(sandbox: Sandbox, status: str, name: str = "offer") -> None:
    sandbox.post("/_sandbox/templates", {"name": name, "language": "en", "status": status})


def test_deliver_syncs_an_account(api: GraphApi, account: Account) -> None:
    deliver()
    assert (Template.objects.count(), claim_syncs(5)) == (12, [])


def test_an_account_that_meta_refuses_leaves_the_others_alone(api: GraphApi, account: Account) -> None:
    Account.objects.create(waba_id="999")
    deliver()
    assert set(Template.objects.values_list("account__waba_id", flat=True)) == {WABA}


def have_a_bug() -> None:
    raise ValueError


@pytest.mark.parametrize("fail", [have_a_bug, take_too_long])
def test_templates_that_cannot_be_stored_keep_no_other_account_from_its_turn(
    api: GraphApi, account: Account, fail: Callable[[], None], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    first = Account.objects.create(waba_id="1")
    store = template_sync._store

    def store_or_fail(account_id: int, *rest: Any) -> Any:
        if account_id == first.pk:
            fail()
        return store(account_id, *rest)

    monkeypatch.setattr(template_sync, "_store", store_or_fail)
    listed = fetch(next(due for due in claim_syncs(5) if due.waba_id == WABA)).listed
    Account.objects.update(templates_due_at="2026-01-01T00:00Z")
    dues = sorted(claim_syncs(5), key=lambda due: due.account_id != first.pk)
    record([template_sync.FetchedTemplates(due, listed) for due in dues])
    assert (Template.objects.exists(), "account 1 are not stored: " in caplog.text) == (True, True)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no token"), "no token"),
        (Rejected(title="Invalid token", code=190), "190: Invalid token"),
        (Rejected(title="Too slow"), "Too slow"),
        (Rejected(), "Rejected"),
    ],
    ids=str,
)
def test_an_error_is_described_by_what_meta_says(error: Exception, words: str) -> None:
    assert template_sync.describe(error) == words


def test_a_sync_reports_its_progress(api: GraphApi, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "STORED_AT_ONCE", 5)
    progress: list[int] = []
    assert (template_sync.sync_now(account, progress.append).found, progress) == (12, [5, 10])


def test_templates_that_cannot_be_fetched_come_with_the_reason(account: Account, settings: Any) -> None:
    settings.WA_ACCESS_TOKENS = {}
    Account.objects.update(token_name="WA_ACCESS_TOKEN_SHOP")
    (due,) = claim_syncs(5)
    found = fetch(due)
    assert (found.due, found.listed, "WA_ACCESS_TOKEN_SHOP" in found.problem) == (due, None, True)
    record([found])
    assert round((Account.objects.get().templates_due_at - timezone.now()) / timedelta(minutes=1)) == 5


def test_an_account_without_its_token_is_tried_again(api: GraphApi, account: Account, settings: Any) -> None:
    settings.WA_ACCESS_TOKENS = {}
    Account.objects.update(token_name="WA_ACCESS_TOKEN_SHOP")
    deliver()
    assert (Template.objects.count(), claim_syncs(5)) == (0, [])


@pytest.mark.parametrize("status", ["PAUSED", "DISABLED", "REJECTED"])
def test_a_pause_whose_webhook_was_lost_is_found(
    api: GraphApi, account: Account, sandbox: Sandbox, status: str
) -> None:
    deliver()
    put(sandbox, status)
    Account.objects.update(templates_due_at="2026-01-01T00:00Z")
    deliver()
    hold = Hold.objects.get(resumed_at=None)
    assert (hold.key, hold.language, hold.waba_id, hold.by) == ("offer", "en", WABA, "meta")


def test_a_release_whose_webhook_was_lost_is_found(api: GraphApi, account: Account, sandbox: Sandbox) -> None:
    put(sandbox, "PAUSED")
    deliver()
    put(sandbox, "APPROVED")
    Account.objects.update(templates_due_at="2026-01-01T00:00Z")
    deliver()
    assert Hold.objects.get().resumed_at
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["hold", "resume"]


def test_an_unarchived_template_has_its_status_of_before_within_seconds(
    api: GraphApi, account: Account, sandbox: Sandbox
) -> None:
    put(sandbox, "PAUSED")
    deliver()
    offer = {"subject": "offer", "value": {"message_template_name": "offer", "message_template_language": "en"}}
    for event in ("ARCHIVED", "UNARCHIVED"):
        happens("message_template_status_update", event, **offer)
    deliver()
    assert Template.objects.get(name="offer", language="en").status == "PAUSED"


def test_the_first_sync_holds_no_templates_that_were_refused_long_ago(
    api: GraphApi, account: Account, sandbox: Sandbox
) -> None:
    put(sandbox, "REJECTED", "old")
    put(sandbox, "DISABLED", "older")
    deliver()
    assert not Hold.objects.exists()


def test_the_command_says_what_it_has_found(api: GraphApi, db: None) -> None:
    out = StringIO()
    call_command("sync_templates", stdout=out)
    assert f"{WABA}: 12 templates in " in out.getvalue()
    assert "12 new, 0 changed, 0 removed" in out.getvalue()


def test_the_command_names_the_account_that_fails(api: GraphApi, sandbox: Sandbox, settings: Any, db: None) -> None:
    Account.objects.create(waba_id="999", token_name="WA_ACCESS_TOKEN_SHOP")
    settings.WA_ACCESS_TOKENS = {}
    errors = StringIO()
    with pytest.raises(CommandError, match="WA_ACCESS_TOKEN_SHOP, 999"):
        call_command("sync_templates", stdout=StringIO(), stderr=errors)
    assert "WA_ACCESS_TOKEN_SHOP is not set" in errors.getvalue()
    assert set(Template.objects.values_list("account__waba_id", flat=True)) == {WABA}


def test_the_command_says_what_meta_refuses(api: GraphApi, sandbox: Sandbox, db: None) -> None:
    sandbox.post("/_sandbox/account", {"token": {"is_valid": False}})
    errors = StringIO()
    with pytest.raises(CommandError, match=f"Not synced: {WABA}"):
        call_command("sync_templates", stderr=errors)
    assert "190: " in errors.getvalue()


def test_an_account_that_meta_refuses_keeps_the_command_from_no_other(
    api: GraphApi, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_sync, "known_accounts", lambda *_: ["999", WABA])
    with pytest.raises(CommandError, match=r"^Not synced: 999$"):
        call_command("sync_templates", stdout=StringIO(), stderr=StringIO())
    assert list(Account.objects.exclude(synced_at=None).values_list("waba_id", flat=True)) == [WABA]
