"""The rows that a webhook stores."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.incoming import statuses, store
from messaging.incoming.statuses import sweep_orphans
from messaging.incoming.store import receive, receive_stored, store_body, sweep_stored_webhooks
from messaging.models import BusinessNumber, Contact, Message, OrphanStatus, StoredWebhook, UnknownUpdate
from messaging.signals import message_received, message_status_changed
from messaging.states import Status
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.factories import in_state, pending, states_of
from tests.messaging.slow_statement import take_too_long
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db


def test_a_text_is_stored_with_its_contact() -> None:
    receive(webhook(inbound_text(text="hi"), name="Ann"))
    message = Message.objects.select_related("contact").get()
    assert (message.text, message.peer, str(message.contact)) == ("hi", "15551230001", "Ann")


def test_the_same_webhook_again_stores_nothing() -> None:
    for _ in range(2):
        receive(webhook(inbound_text()))
    assert (Message.objects.count(), Contact.objects.count()) == (1, 1)


def test_every_item_of_a_batch_is_stored() -> None:
    receive(webhook(*[inbound_text(wamid=f"wamid.{n}", sender=f"1555000{n:04}") for n in range(25)]))
    assert (Message.objects.count(), Contact.objects.count()) == (25, 25)


@pytest.mark.parametrize("together", [True, False])
def test_another_message_with_the_same_wamid_is_kept_as_unknown(together: bool) -> None:
    text, image = inbound_text(), {**inbound_text(), "type": "image", "image": {"id": "1"}}
    for body in [webhook(text, image)] if together else [webhook(text), webhook(image), webhook(image)]:
        receive(body)
    kinds = [(m.type, "") for m in Message.objects.all()] + [("", u.kind) for u in UnknownUpdate.objects.all()]
    assert (len(kinds), kinds[1][1]) == (2, "message with the wamid of another")


def test_a_new_name_replaces_the_old_one() -> None:
    receive(webhook(inbound_text(wamid="wamid.1"), name="Ann"))
    receive(webhook(inbound_text(wamid="wamid.2"), name="Anna"))
    assert Contact.objects.get().name == "Anna"


def test_a_user_without_a_phone_number_is_not_dropped() -> None:
    message = inbound_text()
    del message["from"]
    body = webhook(inbound_text())
    body["entry"][0]["changes"][0]["value"].update(messages=[{**message, "from_user_id": "US.123"}], contacts=[])
    receive(body)
    assert Contact.objects.get().user_id == "US.123"


def test_an_unknown_message_type_is_stored_whole() -> None:
    receive(webhook({**inbound_text(), "type": "hologram", "hologram": {"id": "1"}}))
    message = Message.objects.get()
    assert (message.type, message.content) == ("hologram", {"id": "1"})


def test_an_unknown_field_is_kept_once() -> None:
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "new", "value": 7}]}]}
    for _ in range(2):
        receive(body)
    assert UnknownUpdate.objects.get().kind == "field:new"


def test_an_unknown_update_is_the_same_with_its_keys_in_another_order() -> None:
    for value in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        receive({"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "new", "value": value}]}]})
    assert UnknownUpdate.objects.get().seen == 2


def test_a_number_that_a_signed_webhook_names_is_added() -> None:
    receive(webhook(inbound_text()))
    assert BusinessNumber.objects.get().display_phone_number == "15550783881"


def test_the_count_of_an_unknown_update_stays_at_its_maximum() -> None:
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "new", "value": 1}]}]}
    receive(body)
    UnknownUpdate.objects.update(seen=2**31 - 1)
    receive(body)
    assert UnknownUpdate.objects.get().seen == 2**31 - 1


def test_a_message_without_a_business_number_is_kept_as_unknown() -> None:
    body = webhook(inbound_text())
    del body["entry"][0]["changes"][0]["value"]["metadata"]
    receive(body)
    assert (Message.objects.count(), UnknownUpdate.objects.count()) == (0, 1)


@pytest.mark.parametrize("text", ["nul \x00 byte", "half \ud83d pair"])
def test_text_that_postgresql_cannot_store_loses_no_message(text: str) -> None:
    receive(webhook(inbound_text(text=text)))
    assert Message.objects.get().text.startswith(text[:4])


def test_a_status_finds_its_message_by_our_own_id() -> None:
    message = in_state(Status.UNKNOWN)
    receive(webhook(statuses=(status("delivered", callback=str(message.id)),)))
    assert states_of(message.id) == ["delivered"]


def test_a_status_finds_its_message_by_wamid() -> None:
    message = in_state(Status.ACCEPTED, wamid="wamid.OUT1")
    receive(webhook(statuses=(status("sent"),)))
    assert states_of(message.id) == ["sent"]


def test_a_status_of_another_number_does_not_touch_our_message() -> None:
    message = in_state(Status.ACCEPTED)
    body = webhook(statuses=(status("read", callback=str(message.id)),))
    body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = "999"
    receive(body)
    assert states_of(message.id) == ["accepted"]


def test_a_failure_is_stored_with_its_code_and_text() -> None:
    message = in_state(Status.SENT, wamid="wamid.OUT1")
    receive(webhook(statuses=(status("failed", errors=[{"code": 131026, "title": "not delivered"}]),)))
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("failed", 131026)


def test_a_status_before_its_message_waits_for_it() -> None:
    receive(webhook(statuses=(status("delivered", wamid="wamid.EARLY"),)))
    message = in_state(Status.ACCEPTED, wamid="wamid.EARLY")
    sweep_orphans()
    assert (states_of(message.id), OrphanStatus.objects.count()) == (["delivered"], 0)


def test_each_sweep_looks_at_the_next_part_of_the_statuses_that_have_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statuses, "LOOKED_AT", 2)
    early = [f"wamid.{n}" for n in range(7)]
    receive(webhook(statuses=tuple(status("delivered", wamid) for wamid in early)))
    messages = [in_state(Status.ACCEPTED, wamid=wamid) for wamid in early[:5]]
    left = []
    for _ in range(4):
        sweep_orphans()
        left.append(OrphanStatus.objects.count())
    assert (left[0] > left[1] > left[2] >= left[3], left[3], states_of(*[one.id for one in messages])) == (
        True, 2, ["delivered"] * 5
    )  # fmt: skip


def test_an_orphan_is_kept_once() -> None:
    for _ in range(2):
        receive(webhook(statuses=(status("delivered", wamid="wamid.NOBODY"),)))
    assert OrphanStatus.objects.count() == 1


@pytest.mark.parametrize(("days", "kept"), [(6.99, 1), (7.01, 0)])
def test_an_orphan_is_kept_for_the_seven_days_in_which_meta_repeats_webhooks(days: float, kept: int) -> None:
    receive(webhook(statuses=(status("delivered", wamid="wamid.NOBODY"),)))
    OrphanStatus.objects.update(received_at=timezone.now() - timedelta(days=days))
    sweep_orphans()
    assert OrphanStatus.objects.count() == kept


@pytest.mark.django_db(transaction=True)
def test_the_signal_of_a_new_message_is_sent_once() -> None:
    heard: list[Any] = []

    def hear(sender: Any, message_id: Any, **_: Any) -> None:
        heard.append(message_id)

    message_received.connect(hear)
    for _ in range(2):
        receive(webhook(inbound_text()))
    message_received.disconnect(hear)
    assert heard == [Message.objects.get().id]


@pytest.mark.django_db(transaction=True)
def test_a_failing_receiver_does_not_affect_others_and_its_error_text_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(sender: Any, **_: Any) -> None:
        raise RuntimeError("quotes a message")

    message_status_changed.connect(fail)
    message = in_state(Status.ACCEPTED, wamid="wamid.OUT1")
    receive(webhook(statuses=(status("sent"),)))
    message_status_changed.disconnect(fail)
    assert states_of(message.id) == ["sent"]
    assert "RuntimeError" in caplog.text and "quotes a message" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_webhook_store_it_once() -> None:
    body = webhook(*[inbound_text(wamid=f"wamid.{n}", sender=f"1555000{n:04}") for n in range(20)])
    failures: list[Exception] = []

    def work() -> None:
        try:
            receive(body)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, Message.objects.count(), Contact.objects.count()) == ([], 20, 20)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, st.sampled_from(["messages", "statuses", "errors", "contacts", "metadata", "other"]))
def test_any_json_in_a_webhook_is_stored_without_an_error(value: Any, key: str) -> None:
    body = webhook(inbound_text())
    body["entry"][0]["changes"][0]["value"][key] = value
    receive(body)


@pytest.mark.parametrize(("hours", "messages", "bodies"), [(1.99, 0, 1), (2.01, 1, 0)])
def test_a_stored_body_is_processed_two_hours_later_if_its_task_was_lost(
    hours: float, messages: int, bodies: int
) -> None:
    stored_id = store_body(webhook(inbound_text()))
    StoredWebhook.objects.filter(pk=stored_id).update(received_at=timezone.now() - timedelta(hours=hours))
    sweep_stored_webhooks()
    assert (Message.objects.count(), StoredWebhook.objects.count()) == (messages, bodies)


def test_a_pending_message_that_meta_reports_as_sent_is_sent() -> None:
    (message,) = pending()
    receive(webhook(statuses=(status("sent", callback=str(message.id)),)))
    assert states_of(message.id) == ["sent"]


@pytest.mark.django_db(transaction=True)
def test_a_stored_body_stays_until_it_has_been_processed() -> None:
    """A second connection holds the table that processing writes to, so that it fails as it does in a bad minute."""
    stored_id = store_body(webhook(inbound_text()))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE messaging_message IN ACCESS EXCLUSIVE MODE")
            held.set()
            done.wait(PATIENCE_S)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(PATIENCE_S)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(OperationalError):
            receive_stored(stored_id)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
        done.set()
        holder.join()
    assert StoredWebhook.objects.filter(pk=stored_id).exists()
    receive_stored(stored_id)
    assert (Message.objects.count(), StoredWebhook.objects.count()) == (1, 0)


def has_a_bug() -> None:
    raise ValueError("a bug")


@pytest.mark.parametrize("fail", [take_too_long, has_a_bug])
def test_stored_bodies_that_cannot_be_processed_do_not_keep_others_from_it(
    fail: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    unusable = [store_body(webhook(inbound_text(wamid=f"wamid.{n}"))) for n in range(10)]
    store_body(webhook(inbound_text(wamid="wamid.10")))
    StoredWebhook.objects.update(received_at=timezone.now() - timedelta(hours=3))
    real = store.receive_stored

    def receive_one(stored_id: int) -> None:
        if stored_id in unusable:
            fail()
        real(stored_id)

    monkeypatch.setattr(store, "receive_stored", receive_one)
    for _ in range(2):
        sweep_stored_webhooks()
    assert (Message.objects.get().wamid, StoredWebhook.objects.count()) == ("wamid.10", 10)


def test_a_duplicate_task_of_a_stored_body_does_nothing() -> None:
    stored_id = store_body(webhook(inbound_text()))
    for _ in range(2):
        receive_stored(stored_id)
    assert Message.objects.count() == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=3650)])
def test_a_message_from_the_future_is_stored_as_of_now(ahead: timedelta) -> None:
    receive(webhook(inbound_text(at=int((timezone.now() + ahead).timestamp()))))
    row = Message.objects.get()
    assert row.at == row.created_at <= timezone.now()


def test_a_repeated_message_from_the_future_is_no_conflict() -> None:
    body = webhook(inbound_text(at=int((timezone.now() + timedelta(days=1)).timestamp())))
    receive(body)
    receive(body)
    assert (Message.objects.count(), UnknownUpdate.objects.count()) == (1, 0)


def test_a_later_message_follows_one_from_the_future() -> None:
    receive(webhook(inbound_text("wamid.1", at=int((timezone.now() + timedelta(days=1)).timestamp()))))
    receive(webhook(inbound_text("wamid.2", at=int((timezone.now() + timedelta(seconds=2)).timestamp()))))
    assert list(Message.objects.order_by("at").values_list("wamid", flat=True)) == ["wamid.1", "wamid.2"]


def test_a_status_from_the_future_is_recorded_as_of_now() -> None:
    row = in_state(Status.ACCEPTED, wamid="wamid.OUT1")
    receive(webhook(statuses=(status("sent", at=int(timezone.now().timestamp()) + 3600),)))
    event = row.events.get(status="sent")
    assert event.at <= timezone.now()
