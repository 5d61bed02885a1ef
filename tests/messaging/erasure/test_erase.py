"""An erased person is nowhere: not in any table, not in the storage, not in a log, and does not come back."""

import importlib
import io
import re
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from analytics.models import Event
from messaging.erasure.erase import CannotEraseYet, Erased, erase
from messaging.erasure.person import person_of
from messaging.erasure.wamid_digests import digest_of
from messaging.incoming.store import receive
from messaging.lifecycle import Change, advance_many
from messaging.models import (
    Attempt,
    AuditEntry,
    Contact,
    Delivery,
    ErasedWamid,
    Message,
    MessageEvent,
    OpenedRecipient,
    OrphanStatus,
    StoredWebhook,
    Subscription,
    UnknownUpdate,
    WhatsAppId,
)
from messaging.retention import files as removals
from messaging.states import Status
from messaging.whatsapp.recipients import canonical
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.erasure.personal_rows import BYSTANDER, NUMBER, USER_ID, WRITTEN, everything, tables_with
from tests.messaging.factories import in_state, pending
from tests.messaging.lock_order import is_waited_for, locks
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("planted")
steps: Any = importlib.import_module("messaging.erasure.erase")


def erased(identity: str = WRITTEN, forget_objection: bool = False) -> Erased:
    """Erase the person, and remove the files as `deliver` does."""
    done = erase(person_of(identity), "ann", forget_objection)
    removals.record_removals([removals.remove(one) for one in removals.claim_removals(10)])
    return done


def test_the_planted_words_are_found_before() -> None:
    assert len(tables_with(*everything())) >= 9


@pytest.mark.parametrize("identity", [WRITTEN, NUMBER, "5511987654321", USER_ID])
def test_no_table_holds_an_erased_person(identity: str) -> None:
    erased(identity)
    assert tables_with(*everything()) == []


def test_every_other_table_holds_the_planted_person_and_counts_what_it_erases() -> None:
    assert {name: count for name, count in erased().others.items() if name != "dead letters"} == {
        "unknown updates": 1, "orphan statuses": 1, "account events": 1, "WhatsApp ids": 2, "opened recipients": 1,
        "entries of the admin's log": 1, "events": 1,
    }  # fmt: skip


def test_no_file_of_an_erased_person_is_left(files: Path) -> None:
    erased()
    assert [path for path in files.rglob("*") if path.is_file()] == []


def test_no_log_line_names_an_erased_person(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    erased()
    printed = caplog.text + "".join(capsys.readouterr())
    assert [word for word in everything() if word in printed] == []


def test_counts_times_and_statuses_stay() -> None:
    before = (Message.objects.count(), MessageEvent.objects.count())
    erased()
    assert (Message.objects.count(), MessageEvent.objects.count()) == before


def test_a_bystander_keeps_everything() -> None:
    erased()
    assert tables_with(BYSTANDER) == ["messaging_contact", "messaging_message", "messaging_unknownupdate"]


def test_the_persons_messages_still_belong_together() -> None:
    erased()
    (peer,) = set(Message.objects.exclude(peer=BYSTANDER).values_list("peer", flat=True))
    assert re.fullmatch("erased:[+]55:[0-9a-f]{16}", peer)


def test_a_webhook_that_comes_again_stores_nothing() -> None:
    erased()
    receive(webhook(inbound_text("wamid.PLANTED1", "once more", NUMBER)))
    assert tables_with(*everything(), "once more") == []


def test_a_late_status_stores_nothing() -> None:
    message_id = Message.objects.get(wamid="wamid.PLANTED3").pk
    erased()
    receive(webhook(statuses=(status("read", "wamid.PLANTED3", callback=str(message_id), recipient_id=NUMBER),)))
    assert tables_with(*everything()) == []


def test_what_becomes_of_a_lost_answer_stores_no_wamid_of_an_erased_person() -> None:
    row = in_state(Status.FAILED, calls=1, peer=canonical(NUMBER))
    erased()
    late = Change(row.pk, Status.ACCEPTED, timezone.now(), "worker", wamid="wamid.LATE", call=1, outcome="Accepted")
    advance_many([late])
    receive(webhook(statuses=(status("delivered", "wamid.LATE", callback=str(row.pk)),)))
    row.refresh_from_db()
    assert (row.status, tables_with(*everything(), "wamid.LATE")) == (Status.DELIVERED, [])


def test_a_person_who_writes_again_is_a_new_contact() -> None:
    erased()
    receive(webhook(inbound_text("wamid.NEW", "hello again", NUMBER)))
    assert Message.objects.filter(peer=canonical(NUMBER)).count() == 1


def test_waiting_messages_are_cancelled() -> None:
    (row,) = pending(peer=canonical(NUMBER))
    done = erased()
    row.refresh_from_db()
    assert (done.cancelled, row.status, row.events.order_by("pk").last().source) == (  # type: ignore[union-attr]
        *(1, Status.CANCELLED, "operator"),
    )


def test_many_messages_are_cancelled_and_erased_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "ROWS", 2)
    pending(5, peer=canonical(NUMBER))
    progress: list[int] = []
    done = erase(person_of(WRITTEN), "ann", progress=progress.append)
    assert (done.cancelled, done.messages, progress) == (5, 8, [2, 4, 6, 8])
    assert not Message.objects.filter(peer=canonical(NUMBER)).exists()
    assert MessageEvent.objects.filter(status=Status.CANCELLED).count() == 5


def test_messages_and_contacts_are_locked_in_one_order() -> None:
    found = locks(lambda: erase(person_of(WRITTEN), "ann"))
    assert [one for one in found if one.startswith(("messaging_message ", "messaging_contact "))] == [
        "messaging_message by 1: UPDATE",
        "messaging_message by 1: UPDATE",
        "messaging_contact by id: UPDATE",
    ]


def test_an_erasure_is_refused_while_a_webhook_of_the_person_waits() -> None:
    webhook_of_bystander = StoredWebhook.objects.create(body={"from": BYSTANDER})
    StoredWebhook.objects.filter(pk=webhook_of_bystander.pk).update(body={"from": NUMBER})
    with pytest.raises(CannotEraseYet, match="A webhook about this person is being processed"):
        erased()
    StoredWebhook.objects.update(body={"from": BYSTANDER})
    assert erased().messages == 3


def test_the_wamids_of_all_attempts_are_remembered_as_digests() -> None:
    message = Message.objects.get(wamid="wamid.PLANTED3")
    Attempt.objects.create(message=message, n=2, wamid="wamid.PLANTED4", outcome="accepted")
    ErasedWamid.objects.create(digest=digest_of("wamid.PLANTED3"))
    erased()
    digests = {digest_of(f"wamid.PLANTED{n}") for n in (1, 2, 3, 4)}
    assert set(ErasedWamid.objects.values_list("digest", flat=True)) == digests


def test_an_opened_recipient_no_longer_names_its_message() -> None:
    OpenedRecipient.objects.update(message_id=UUID(int=1))
    erased()
    row = OpenedRecipient.objects.get()
    assert (row.message_id, UUID(row.peer).version) == (None, 4)


def test_the_log_of_other_objects_with_the_same_number_stays() -> None:
    mine = LogEntry.objects.get()
    for model in (Subscription, User):
        LogEntry.objects.create(
            user=mine.user, action_flag=CHANGE, object_id=mine.object_id, object_repr="another",
            content_type=ContentType.objects.get_for_model(model),
        )  # fmt: skip
    erased()
    assert list(LogEntry.objects.order_by("pk").values_list("object_repr", flat=True)) == ["erased", *["another"] * 2]


@pytest.mark.parametrize(("state", "said"), [(Status.SENDING, "in a minute"), (Status.UNKNOWN, "Decide it")])
def test_nothing_is_erased_while_a_message_is_on_its_way(state: Status, said: str) -> None:
    in_state(state, peer=canonical(NUMBER))
    with pytest.raises(CannotEraseYet, match=said):
        erased()
    assert "messaging_contact" in tables_with(NUMBER)


@pytest.mark.parametrize("objection", ["opted_out_at", "blocked_at"])
def test_an_objection_keeps_the_number_and_nothing_else(objection: str) -> None:
    contact = Contact.objects.get(user_id=USER_ID)
    setattr(contact, objection, contact.first_seen_at)
    contact.username = "@zebedeu"
    contact.save()
    done = erase(person_of(WRITTEN), "ann")
    contact.refresh_from_db()
    assert (done.kept_contacts, done.contacts, contact.phone, contact.name, contact.username) == (1, 0, NUMBER, "", "")
    assert AuditEntry.objects.get(action="erase").details["kept contacts"] == 1


def test_an_objection_is_forgotten_on_request() -> None:
    Contact.objects.filter(user_id=USER_ID).update(opted_out_at="2026-01-01T00:00Z")
    erased(forget_objection=True)
    assert tables_with(*everything()) == []


def test_a_waiting_delivery_is_not_made() -> None:
    row = Message.objects.get(wamid="wamid.PLANTED1")
    subscription = Subscription.objects.create(url="http://127.0.0.1:9/", secret="s" * 40)
    Delivery.objects.create(subscription=subscription, event="message.received", message=row, give_up_at=row.created_at)
    erased()
    assert Delivery.objects.get().error == "The person was erased."


def test_the_audit_log_has_the_erasure_without_the_person() -> None:
    erased()
    entry = AuditEntry.objects.get(action="erase")
    counts = {name: entry.details.get(name) for name in ("messages", "contacts", "kept contacts", "events")}
    assert (entry.who, entry.object) == ("ann", "a person")
    assert counts == {"messages": 3, "contacts": 1, "kept contacts": None, "events": 1}


def test_an_erasure_that_was_killed_is_finished_by_the_next() -> None:
    steps._erase_messages(person_of(WRITTEN), lambda _: "erased:half")
    erased()
    assert tables_with(*everything()) == []


def test_the_command_says_what_was_erased(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("erase_contact", WRITTEN, "--yes")
    assert "3 messages" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["erase_contact", "export_contact"])
@pytest.mark.parametrize("given", ["Zebedeu 1", f"Zebedeu {NUMBER}", "", "US."])
def test_the_commands_refuse_what_is_neither_a_number_nor_a_user_id(command: str, given: str, tmp_path: Path) -> None:
    more = {"erase_contact": ["--yes"], "export_contact": [str(tmp_path / "person.zip")]}[command]
    with pytest.raises(CommandError, match="neither a phone number nor a user id"):
        call_command(command, given, *more)


def test_the_digits_of_a_user_id_do_not_erase_the_stranger_with_that_number() -> None:
    erased(f"BR.{BYSTANDER}")
    assert tables_with(BYSTANDER) == ["messaging_contact", "messaging_message", "messaging_unknownupdate"]


def test_the_command_finds_no_person_by_a_wrong_number() -> None:
    with pytest.raises(CommandError, match="Nothing is stored"):
        call_command("erase_contact", "+49 170 000000", "--yes")


@pytest.mark.parametrize("table", [Event, WhatsAppId, UnknownUpdate, OrphanStatus, OpenedRecipient])
def test_the_command_erases_a_person_of_whom_one_other_table_alone_knows(table: type[Model]) -> None:
    for model in {Event, WhatsAppId, UnknownUpdate, OrphanStatus, OpenedRecipient, Contact, Message} - {table}:
        model._default_manager.all().delete()
    number = "5511987654321"
    assert tables_with(NUMBER, number)
    call_command("erase_contact", WRITTEN, "--yes")
    assert tables_with(NUMBER, number) == []


def test_the_command_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_contact", WRITTEN)


def test_without_a_terminal_the_command_erases_nothing_and_names_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="--yes"):
        call_command("erase_contact", WRITTEN)
    assert person_of(WRITTEN).messages.count() == 3


def test_a_log_of_the_command_has_no_progress_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("erase_contact", WRITTEN, "--yes")
    assert capsys.readouterr().err == ""


def test_a_message_that_is_accepted_during_the_erasure_is_cancelled() -> None:
    accepted: list[Message] = []

    def accept(_: int) -> None:
        if not accepted:
            accepted.extend(pending(peer=canonical(NUMBER)))

    erase(person_of(WRITTEN), "ann", progress=accept)
    row = Message.objects.get(pk=accepted[0].pk)
    assert (row.status, row.peer.startswith("erased:")) == (Status.CANCELLED, True)


def test_a_message_that_is_sent_during_the_erasure_keeps_its_content() -> None:
    sent: list[Message] = []

    def send(_: int) -> None:
        if not sent:
            sent.append(in_state(Status.SENDING, peer=canonical(NUMBER)))

    with pytest.raises(CannotEraseYet, match="in a minute"):
        erase(person_of(WRITTEN), "ann", progress=send)
    assert Message.objects.get(pk=sent[0].pk).peer == canonical(NUMBER)


@pytest.mark.django_db(transaction=True)
def test_an_opt_out_that_is_stored_during_the_erasure_holds() -> None:
    def work() -> None:
        erased()
        connection.close()

    erasure = threading.Thread(target=work)
    with transaction.atomic():
        Contact.objects.filter(user_id=USER_ID).update(opted_out_at=timezone.now())
        erasure.start()
        waits = eventually(is_waited_for, every=0.01)
    erasure.join()
    assert (waits, Contact.objects.filter(user_id=USER_ID, opted_out_at__isnull=False).count()) == (True, 1)
