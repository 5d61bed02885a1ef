"""One person, several spellings of the number: every comparison goes through one form."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.accepting.python_api import send_text_message
from messaging.conversations.queries import find_conversations, latest_conversations
from messaging.incoming.store import receive
from messaging.messages.csv_export import csv_lines
from messaging.messages.search import search_messages
from messaging.models import Contact, Message, TemplateCategory, WhatsAppId
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.release import release
from messaging.states import Status
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.recipients import canonical, spellings
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import number

pytestmark = pytest.mark.django_db
SEND, BULK, LIST = "/messaging/send", "/messaging/send/bulk", "/messaging/messages"

# A number as WhatsApp writes it, and the other spelling; the canonical one of both.
NUMBERS = {
    "Mexico": ("5215512340918", "525512340918", "525512340918"),
    "Brazil, 8 digits": ("551187654321", "5511987654321", "5511987654321"),
    "Brazil, 9 digits": ("5511987654321", "551187654321", "5511987654321"),
    "Argentina": ("5491112345678", "541112345678", "5491112345678"),
}
SPELLED = [pytest.param(wrote, other, key, id=name) for name, (wrote, other, key) in NUMBERS.items()]
# Whom we write to where `wrote` has written: every spelling of it, its own first.
PAIRS = [
    pytest.param(wrote, to, id=f"{name}, {'the same' if to == wrote else 'the other'}")
    for name, (wrote, other, _) in NUMBERS.items()
    for to in (wrote, other)
]


def text_to(peer: str, **more: Any) -> dict[str, Any]:
    return {"phone_number": f"+{peer}", "message_type": "text", "message_data": {"content": "hi"}, **more}


def wrote(peer: str, text: str = "hello") -> None:
    receive(
        webhook(
            inbound_text(wamid=f"wamid.{peer}.{text}", text=text, sender=peer, at=int(timezone.now().timestamp()) - 60)
        )
    )


def marketing_to(peer: str) -> dict[str, Any]:
    TemplateCategory.objects.get_or_create(name="offer", category="marketing", waba_id="")
    data = {"name": "offer", "language": "en"}
    return {"phone_number": f"+{peer}", "message_type": "template", "message_data": data}


def claims() -> list[Claimed]:
    return claim(release(number().pk))


def answer(rows: Sequence[Claimed], wa_id: str | None) -> None:
    """Meta takes them, and says by which id it knows the recipient."""
    record([Outcome(row, Accepted(f"wamid.{row.message_id}", wa_id, None, None), timezone.now()) for row in rows])


@pytest.mark.parametrize(("written", "other", "key"), SPELLED)
def test_all_spellings_have_one_canonical_form(written: str, other: str, key: str) -> None:
    assert (canonical(written), canonical(other), canonical(key)) == (key, key, key)
    assert set(spellings(written)) == set(spellings(other)) == {written, other}


@pytest.mark.parametrize(
    "peer",
    [
        "15551230001",
        "551133334444",  # a landline in Brazil has no ninth digit
        "5511953334444",  # with the 9 it would be a landline without it
        "548001234567",  # toll-free in Argentina
        "5491234",
        "52155123409180",
        "US.13491208655302741918",
        "1234567890123456",
        "",
    ],
)
def test_other_numbers_and_user_ids_have_one_spelling(peer: str) -> None:
    assert (canonical(peer), set(spellings(peer))) == (peer, {peer})


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_a_user_can_be_answered_under_every_spelling_within_the_window(
    written: str, to: str, api: APIClient, settings: Any
) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    wrote(written)
    answered = api.post(SEND, text_to(to), format="json")
    assert (answered.status_code, answered.data.get("warnings")) == (202, None)


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_a_message_to_a_user_who_wrote_uses_metas_spelling(written: str, to: str) -> None:
    wrote(written)
    send_text_message(f"+{to}", "hi")
    assert [row.to for row in claims()] == [written]


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_an_unknown_number_is_sent_to_in_the_clients_spelling(written: str, to: str) -> None:
    send_text_message(f"+{to}", "hi")
    assert [row.to for row in claims()] == [to]


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_an_opt_out_under_one_spelling_applies_to_all(written: str, to: str, api: APIClient) -> None:
    wrote(written, "STOP")
    assert list(api.post(SEND, marketing_to(to), format="json").data) == ["phone_number"]


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_a_block_under_one_spelling_applies_to_all(written: str, to: str, api: APIClient) -> None:
    wrote(written)
    Contact.objects.update(blocked_at=timezone.now())
    assert api.post(SEND, text_to(to), format="json").status_code == 400


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_an_opt_out_between_acceptance_and_release_applies_to_all_spellings(
    written: str, to: str, api: APIClient
) -> None:
    api.post(SEND, marketing_to(to), format="json")
    wrote(written, "STOP")
    assert release(number().pk) == []
    assert Message.objects.get(direction="outbound").status == Status.CANCELLED


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_the_list_shows_both_directions_under_every_spelling(written: str, to: str, api: APIClient) -> None:
    wrote(written)
    send_text_message(f"+{written}", "hi")
    found = api.get(LIST, {"phone_number": to}).data["results"]
    assert [row["direction"] for row in found] == ["outbound", "inbound"]


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_the_admins_search_finds_both_directions_under_every_spelling(written: str, to: str) -> None:
    wrote(written)
    send_text_message(f"+{written}", "hi")
    assert search_messages(Message.objects.all(), f"+{to}").count() == 2


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_all_spellings_are_one_conversation(written: str, to: str) -> None:
    wrote(written)
    send_text_message(f"+{to}", "hi")
    assert len(latest_conversations(10).conversations) == 1
    assert latest_conversations(10, unanswered=True).conversations == []


@pytest.mark.parametrize(("written", "to"), PAIRS)
def test_a_conversation_is_found_under_every_spelling_and_open(written: str, to: str) -> None:
    wrote(written)
    (found,) = find_conversations(f"+{to}").conversations
    assert found.is_open


@pytest.mark.parametrize(("written", "other", "key"), SPELLED)
def test_an_export_has_one_number_for_one_person(written: str, other: str, key: str) -> None:
    wrote(written)
    send_text_message(f"+{written}", "hi")
    send_text_message(f"+{other}", "hi")
    lines = list(csv_lines(Message.objects.all()))[1].splitlines()
    assert [line.split(",")[5] for line in lines] == [key] * 3


@pytest.mark.parametrize(("written", "other", "key"), SPELLED)
def test_one_message_at_a_time_is_in_flight_to_a_person(written: str, other: str, key: str) -> None:
    first = send_text_message(f"+{written}", "1")
    second = send_text_message(f"+{other}", "2")
    released = [batch.message_ids for batch in release(number().pk)]
    assert (released, Message.objects.get(pk=second).hold) == ([[first]], "pair")


@pytest.mark.parametrize(("written", "other", "key"), SPELLED)
def test_a_bulk_repeated_in_another_spelling_is_the_same_request(
    written: str, other: str, key: str, api: APIClient
) -> None:
    def bulk(peer: str) -> Any:
        return api.post(BULK, {"messages": [text_to(peer)]}, format="json", HTTP_IDEMPOTENCY_KEY="k")

    answers = [bulk(peer).data["results"][0]["id"] for peer in (written, other)]
    assert (len(set(answers)), Message.objects.count()) == (1, 1)


def test_a_bulk_to_another_person_is_another_request(api: APIClient) -> None:
    def bulk(peer: str) -> int:
        body = {"messages": [text_to(peer)]}
        return api.post(BULK, body, format="json", HTTP_IDEMPOTENCY_KEY="k").status_code

    assert [bulk(peer) for peer in ("5215512340918", "5215512340919")] == [202, 409]


# What phonenumbers objects to: Benin's and Ivory Coast's numbers of before their changes, and what is too long.
OBJECTED = ["22997000000", "22507000000", "1234567890123456", "52551234091"]


@pytest.mark.parametrize("peer", OBJECTED)
def test_a_number_that_has_written_is_answered_without_a_warning(peer: str, api: APIClient) -> None:
    wrote(peer)
    answered = api.post(SEND, text_to(peer), format="json")
    assert (answered.status_code, answered.data.get("warnings")) == (202, None)


@pytest.mark.parametrize("peer", OBJECTED)
def test_python_answers_a_number_that_has_written(peer: str) -> None:
    wrote(peer)
    assert send_text_message(peer, "hi")


@pytest.mark.parametrize("peer", OBJECTED)
def test_such_a_number_that_has_not_written_is_refused_or_gets_a_warning(peer: str, api: APIClient) -> None:
    answered = api.post(SEND, text_to(peer), format="json")
    assert answered.status_code == 400 or any("not a valid number" in text for text in answered.data["warnings"])


def test_a_bulk_looks_up_all_numbers_in_one_query(api: APIClient, django_assert_num_queries: Any) -> None:
    wrote("22997000000")
    number()
    api.post(SEND, text_to("15551230001"), format="json")
    items = [text_to("22997000000"), *(text_to(f"2299700{n:04d}") for n in range(1, 50))]
    with django_assert_num_queries(2):
        results = api.post(BULK, {"messages": items}, format="json").data["results"]
    assert [len(row.get("warnings", [])) for row in results] == [0, *[2] * 49]


def test_a_sender_of_more_than_15_digits_keeps_the_number() -> None:
    wrote("1234567890123456")
    assert Message.objects.get().peer == Contact.objects.get().phone == "1234567890123456"


# A number that Meta answers a send to with another one; in Benin the country put 01 before every number.
MOVED = ("22997000000", "2290197000000")


@pytest.fixture
def moved() -> None:
    """Meta's answer named the number by which it knows a recipient."""
    send_text_message(MOVED[0], "hi")
    answer(claims(), MOVED[1])


@pytest.mark.usefixtures("moved")
def test_metas_answer_is_used_for_the_next_message() -> None:
    send_text_message(MOVED[0], "again")
    assert [(row.peer, row.to) for row in claims()] == [(MOVED[1], MOVED[1])]


@pytest.mark.usefixtures("moved")
def test_metas_answer_settles_the_window(api: APIClient, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    wrote(MOVED[1])
    assert api.post(SEND, text_to(MOVED[0]), format="json").status_code == 202


@pytest.mark.usefixtures("moved")
def test_metas_answer_settles_consent(api: APIClient) -> None:
    wrote(MOVED[1], "STOP")
    assert api.post(SEND, marketing_to(MOVED[0]), format="json").status_code == 400


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize("term", MOVED)
def test_metas_answer_settles_the_list(term: str, api: APIClient) -> None:
    wrote(MOVED[1])
    assert len(api.get(LIST, {"phone_number": term}).data["results"]) == 2


@pytest.mark.usefixtures("moved")
def test_after_metas_answer_a_reply_may_name_a_message_of_either_number(api: APIClient) -> None:
    wrote(MOVED[1])
    target = Message.objects.get(direction="inbound")
    assert api.post(SEND, text_to(MOVED[0], reply_to=str(target.pk)), format="json").status_code == 202


@pytest.mark.usefixtures("moved")
def test_metas_answer_removes_the_warning(api: APIClient, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "off"
    assert "warnings" not in api.post(SEND, text_to(MOVED[0]), format="json").data


def test_messages_waiting_for_the_old_number_are_sent_to_the_new_one() -> None:
    first, second = (send_text_message(MOVED[0], text) for text in "12")
    send_text_message(MOVED[0], "later", send_at=timezone.now() + timedelta(hours=1))
    rows = claims()
    assert [row.message_id for row in rows] == [first]
    answer(rows, MOVED[1])
    assert [(row.message_id, row.to) for row in claims()] == [(second, MOVED[1])]
    assert Message.objects.filter(status=Status.PENDING).get().peer == MOVED[1]


@pytest.mark.parametrize("blocked", MOVED)
@pytest.mark.parametrize("user_ids", [(None, None), ("BJ.1", None), (None, "BJ.2"), ("BJ.1", "BJ.2")])
def test_a_block_of_either_number_applies_to_both(
    blocked: str, user_ids: tuple[str | None, str | None], api: APIClient
) -> None:
    send_text_message(MOVED[0], "hi")
    rows = claims()
    for phone, user_id in zip(MOVED, user_ids, strict=True):
        wrote(phone)
        Contact.objects.filter(phone=phone).update(user_id=user_id)
    Contact.objects.filter(phone=blocked).update(blocked_at=timezone.now())
    answer(rows, MOVED[1])
    refused = [api.post(SEND, text_to(peer), format="json").status_code for peer in MOVED]
    assert (refused, Contact.objects.count()) == ([400, 400], 1)


@pytest.mark.parametrize(("written", "other", "key"), SPELLED)
def test_metas_spelling_is_kept_where_it_differs_from_ours(written: str, other: str, key: str) -> None:
    send_text_message(f"+{other}", "hi")
    answer(claims(), written)
    send_text_message(f"+{other}", "again")
    assert [row.to for row in claims()] == [written]


@pytest.mark.parametrize("wa_id", [None, "15551230001", "no number", "US.123"])
def test_an_answer_without_a_new_spelling_stores_nothing(wa_id: str | None) -> None:
    send_text_message("15551230001", "hi")
    answer(claims(), wa_id)
    assert not WhatsAppId.objects.exists()
