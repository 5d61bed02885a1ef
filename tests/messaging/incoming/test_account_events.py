"""Account events are stored once, and template categories are learned from them."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TestCase

from messaging.incoming import account_events
from messaging.incoming.store import receive
from messaging.models import AccountEvent, Delivery, Template, TemplateCategory
from tests.messaging.lock_order import is_waited_for
from tests.messaging.message_templates.rows import synced_template
from tests.messaging.subscriptions.factories import subscription
from tests.waiting import eventually

pytestmark = pytest.mark.django_db


def change(field: str, value: dict[str, Any], at: int | None = 1_790_000_000) -> dict[str, Any]:
    """The body of one account event; without `at` Meta tells no time."""
    time = {} if at is None else {"time": at}
    entry = {"id": "102290129340398", **time, "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def category(name: str, new: str) -> dict[str, Any]:
    return change("template_category_update", {"message_template_name": name, "new_category": new})


def test_a_category_is_learned_for_its_template_and_account() -> None:
    receive(category("sale", "MARKETING"))
    row = TemplateCategory.objects.get()
    assert (row.waba_id, row.name, row.category) == ("102290129340398", "sale", "marketing")


def test_a_template_is_marketing_while_one_of_its_languages_is() -> None:
    synced_template("sale", "en", "102290129340398", category="MARKETING")
    synced_template("sale", "de", "102290129340398", category="MARKETING")
    value = {"message_template_name": "sale", "message_template_language": "de", "new_category": "UTILITY"}
    receive(change("template_category_update", value))
    assert TemplateCategory.objects.get().category == "marketing"


def test_a_repeated_webhook_does_not_undo_a_newer_category() -> None:
    older = category("sale", "UTILITY")
    receive(older)
    receive(
        change(
            "template_category_update", {"message_template_name": "sale", "new_category": "MARKETING"}, 1_790_000_060
        )
    )
    receive(older)
    assert TemplateCategory.objects.get().category == "marketing"


def at_minute(minute: int, new: str, language: str = "") -> dict[str, Any]:
    """The category of a template at this minute, by Meta's clock."""
    value = {"message_template_name": "sale", "message_template_language": language, "new_category": new}
    return change("template_category_update", value, 1_790_000_000 + 60 * minute)


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize(("first", "second"), [("MARKETING", "UTILITY"), ("UTILITY", "MARKETING")])
def test_an_older_category_that_comes_later_does_not_undo_a_newer_one(first: str, second: str, is_known: bool) -> None:
    if is_known:
        synced_template("sale", "en", "102290129340398", category="AUTHENTICATION")
    receive(at_minute(2, first, "en"))
    receive(at_minute(1, second, "en"))
    found = {row.category for row in Template.objects.all()}
    assert (TemplateCategory.objects.get().category, found) == (first.lower(), {first} if is_known else set())


def test_an_older_category_in_another_language_is_one_of_the_template_too() -> None:
    for language in ("en", "de"):
        synced_template("sale", language, "102290129340398", category="UTILITY")
    receive(at_minute(2, "UTILITY", "en"))
    receive(at_minute(1, "MARKETING", "de"))
    assert TemplateCategory.objects.get().category == "marketing"


def test_the_category_of_an_older_status_does_not_undo_a_newer_one() -> None:
    synced_template("sale", "en", "102290129340398", category="UTILITY")
    receive(at_minute(2, "MARKETING", "en"))
    of = {"message_template_name": "sale", "message_template_language": "en", "message_template_category": "UTILITY"}
    receive(change("message_template_status_update", {**of, "event": "APPROVED"}, 1_790_000_060))
    assert (Template.objects.get().category, TemplateCategory.objects.get().category) == ("MARKETING", "marketing")


@pytest.mark.parametrize("event", ["FLAGGED", "UNARCHIVED", "APPROVED"])
def test_the_category_of_a_status_that_is_not_stored_is_learned(event: str) -> None:
    synced_template("sale", "en", "102290129340398", category="UTILITY")
    of = {"message_template_name": "sale", "message_template_language": "en"}
    receive(change("message_template_status_update", {**of, "event": "PAUSED"}, 1_790_000_120))
    value = {**of, "event": event, "message_template_category": "MARKETING"}
    receive(change("message_template_status_update", value, 1_790_000_060))
    assert (Template.objects.get().category, TemplateCategory.objects.get().category) == ("MARKETING", "marketing")


def test_an_older_quality_that_comes_later_does_not_undo_a_newer_one() -> None:
    synced_template("sale", "en", "102290129340398")
    for minute, score in ((2, "RED"), (1, "GREEN")):
        value = {"message_template_name": "sale", "message_template_language": "en", "new_quality_score": score}
        receive(change("message_template_quality_update", value, 1_790_000_000 + 60 * minute))
    assert Template.objects.get().quality == "RED"


def test_two_categories_in_one_body_apply_in_the_order_of_their_times() -> None:
    newer = change(
        "template_category_update", {"message_template_name": "sale", "new_category": "MARKETING"}, 1_790_000_060
    )
    receive(newer, category("sale", "UTILITY"))
    assert TemplateCategory.objects.get().category == "marketing"


def test_an_event_without_a_time_is_stored() -> None:
    receive(change("account_update", {"event": "DISABLED_UPDATE"}, at=None))
    assert AccountEvent.objects.count() == 1


@pytest.mark.parametrize(("second", "count"), [(1_790_000_000, 1), (1_790_000_001, 2)])
def test_the_same_event_again_is_stored_once_and_one_of_another_time_is_another(second: int, count: int) -> None:
    for at in (1_790_000_000, second):
        receive(change("account_update", {"event": "DISABLED_UPDATE"}, at=at))
    assert AccountEvent.objects.count() == count


def test_an_event_keeps_metas_time() -> None:
    receive(change("account_update", {"event": "DISABLED_UPDATE"}))
    assert AccountEvent.objects.get().at.timestamp() == 1_790_000_000


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (
            change("message_template_status_update", {"event": "REJECTED", "message_template_name": "sale"}),
            ("message_template_status_update", "REJECTED", "sale", "102290129340398", ""),
        ),
        (
            change("phone_number_quality_update", {"event": "FLAGGED", "display_phone_number": "15550783881"}),
            ("phone_number_quality_update", "FLAGGED", "15550783881", "102290129340398", ""),
        ),
        (change("account_update", {"event": "BANNED"}), ("account_update", "BANNED", "", "102290129340398", "")),
    ],
    ids=["template", "number", "account"],
)
def test_an_event_keeps_what_it_is_about(body: dict[str, Any], stored: tuple[str, ...]) -> None:
    receive(body)
    row = AccountEvent.objects.get()
    assert (row.kind, row.event, row.subject, row.waba_id, row.phone_number_id) == stored
    assert row.raw["value"] == body["entry"][0]["changes"][0]["value"]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_two_workers_store_at_once_is_delivered_once() -> None:
    subscription()
    body = change("account_update", {"event": "DISABLED_UPDATE"})

    def work() -> None:
        receive(body)
        connection.close()

    second = threading.Thread(target=work)
    with transaction.atomic():
        receive(body)
        second.start()
        waits = eventually(is_waited_for, every=0.01)
    second.join()
    assert (waits, AccountEvent.objects.count(), Delivery.objects.count()) == (True, 1, 1)


def test_a_limit_that_cannot_be_stored_keeps_no_listener_from_its_events(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(account_events, "store_limit", fail)
    heard: list[str] = []
    with TestCase.captureOnCommitCallbacks(execute=True):
        receive(change("business_capability_update", {"max_daily_conversations_per_business": "TIER_2K"}))
        transaction.on_commit(lambda: heard.append("an event"))
    assert (heard, "is not stored: RuntimeError" in caplog.text) == (["an event"], True)
