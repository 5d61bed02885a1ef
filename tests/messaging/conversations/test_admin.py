"""The pages of conversations: their contexts and answers."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.conversations import admin as pages
from messaging.conversations.queries import Conversation
from messaging.models import BusinessNumber, Message, TemplateCategory
from messaging.models import Conversation as ConversationModel
from tests.messaging.conversations.factories import ANN, LIST, chat_of, logged_in, now, wrote
from tests.messaging.conversations.test_chat_view import many
from tests.messaging.message_templates.rows import synced_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(db: None) -> Client:
    return logged_in("view_conversation")


@pytest.fixture
def operator(db: None) -> Client:
    return logged_in("view_conversation", "reply_conversation")


def given(client: Client, path: str, query: Any = None, **options: Any) -> dict[str, Any]:
    answer: Any = client.get(path, query or {}, **options)
    assert answer.status_code == 200
    return dict(answer.context_data)


def test_the_list_has_its_rows_and_filters(viewer: Client) -> None:
    message = wrote("text", "a question")
    BusinessNumber.objects.filter(pk=message.number_id).update(display_phone_number="2")
    first = BusinessNumber.objects.create(phone_number_id="7", display_phone_number="1")
    found = given(viewer, LIST, {"unanswered": "1"})
    assert (found["title"], found["opts"], found["older"], found["is_live"]) == (
        *("Conversations", ConversationModel._meta, None, True),
    )
    assert [(row.conversation.latest, row.preview) for row in found["rows"]] == [(message, "a question")]
    assert list(found["numbers"]) == [first, message.number]
    assert (found["query"]["unanswered"], "site_title" in found) == ("1", True)


def test_the_list_of_one_number_has_its_conversations_and_its_analytics(viewer: Client) -> None:
    message = wrote()
    other = BusinessNumber.objects.create(phone_number_id="7777")
    mine, none = (given(viewer, LIST, {"number": str(pk)}) for pk in (message.number_id, other.pk))
    assert [len(found["rows"]) for found in (mine, none)] == [1, 0]
    assert ("7777" in none["analytics_url"], "7777" in mine["analytics_url"]) == (True, False)
    assert given(viewer, LIST)["analytics_url"] == "/analytics/#conversations"


@pytest.mark.parametrize(("number", "listed"), [("9" * 17, 0), ("9" * 18, 1), ("", 1)])
def test_a_number_that_no_row_can_have_filters_nothing(number: str, listed: int, viewer: Client) -> None:
    wrote()
    assert len(given(viewer, LIST, {"number": number})["rows"]) == listed


def test_older_pages_are_not_live_and_begin_behind_the_page_before(viewer: Client) -> None:
    first, second = wrote(), wrote(sender="15551230002")
    found = given(viewer, LIST, {"before": str(second.pk)})
    assert ([row.conversation.latest for row in found["rows"]], found["is_live"]) == ([first], False)


@pytest.mark.parametrize(("headers", "part"), [({}, "list"), ({"HX-Request": "true"}, "rows")])
def test_htmx_gets_only_the_rows(headers: dict[str, str], part: str, viewer: Client) -> None:
    answer: Any = viewer.get(LIST, headers=headers)
    assert answer.template_name == f"admin/messaging/conversation/{part}.html"


def test_an_account_that_may_reply_gets_the_form_with_the_templates(operator: Client) -> None:
    message = wrote(name="Ann")
    account = message.number.waba_id
    for name, waba_id in (("b", ""), ("a", account), ("c", "elsewhere")):
        TemplateCategory.objects.create(name=name, waba_id=waba_id, category="utility")
    found = given(operator, chat_of(message))
    shown = {key: found[key] for key in ("title", "subtitle", "opts", "anchor", "older", "may_reply", "template_form")}
    assert shown == {
        "title": "Ann", "subtitle": None, "opts": ConversationModel._meta, "anchor": message, "older": None,
        "may_reply": True, "template_form": None,
    }  # fmt: skip
    assert (found["templates"], found["synced_templates"].listed) == (["a", "b"], ())
    assert isinstance(found["form_id"], UUID)
    assert message.number.phone_number_id in found["analytics_url"]


def test_an_account_that_may_not_reply_gets_no_templates(viewer: Client) -> None:
    TemplateCategory.objects.create(name="a", waba_id="", category="utility")
    found = given(viewer, chat_of(wrote()))
    assert (found["may_reply"], found["templates"], found["synced_templates"]) == (False, [], None)


def test_a_refused_reply_keeps_its_text_and_its_form_id(operator: Client) -> None:
    message = wrote()
    form = {"kind": "text", "text": " ", "form_id": "form-1"}
    answer: Any = operator.post(f"{LIST}{message.pk}/reply/", form)
    assert (answer.context_data["form_id"], answer.context_data["typed"]["text"]) == ("form-1", " ")


def test_a_sent_reply_leads_back_to_the_chat(operator: Client) -> None:
    message = wrote()
    answer: Any = operator.post(f"{LIST}{message.pk}/reply/", {"kind": "text", "text": "Hi", "form_id": "form-1"})
    assert (answer.status_code, answer.url) == (302, chat_of(message))


@pytest.mark.parametrize(("count", "older"), [(39, None), (40, 0), (41, 1)])
def test_a_chat_has_older_messages_if_its_page_is_full(count: int, older: int | None, viewer: Client) -> None:
    rows = many(count - 1)
    found = given(viewer, chat_of(rows[-1]))
    assert found["older"] == (None if older is None else rows[older])
    assert (found["since"], len(found["bubbles"])) == (rows[older or 0], min(count, 40))


@pytest.mark.parametrize(("before", "older"), [(39, None), (40, 0), (41, 1)])
def test_earlier_messages_are_followed_by_earlier_ones_if_their_page_is_full(
    before: int, older: int | None, viewer: Client
) -> None:
    rows = many(42)
    found = given(viewer, f"{LIST}{rows[-1].pk}/messages/", {"before": rows[before].pk})
    assert (found["older"], found["anchor"]) == (None if older is None else rows[older], rows[before])
    assert [bubble.message for bubble in found["bubbles"]] == rows[older or 0 : before]
    assert found["conversation"].latest == rows[-1]


def test_an_old_message_comes_with_twenty_before_it_and_what_came_since(viewer: Client) -> None:
    rows = many(90)
    found = given(viewer, chat_of(rows[30]), {"around": "1"})
    assert (found["since"], len(found["bubbles"])) == (rows[10], len(rows) - 10)
    newest = given(viewer, chat_of(rows[-1]), {"around": "1"})
    assert len(newest["bubbles"]) == len(given(viewer, chat_of(rows[30]))["bubbles"]) == 40


def test_a_chat_with_too_many_messages_reloads(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_CHAT_SIZE", 5)
    rows = many(5)
    answers = [viewer.get(f"{LIST}{rows[-1].pk}/messages/", {"since": str(rows[at].pk)}) for at in (0, 1, 2)]
    assert [answer.headers.get("HX-Refresh") for answer in answers] == ["true", "true", None]
    monkeypatch.setattr(pages, "CHAT_SIZE", 2)
    assert len(given(viewer, chat_of(rows[1]), {"around": "1"})["bubbles"]) == 5


def test_an_old_message_of_a_long_chat_is_on_its_page_which_does_not_reload(viewer: Client) -> None:
    rows = many(429)
    answer: Any = viewer.get(chat_of(rows[25]), {"around": "1"})
    shown = [bubble.message for bubble in answer.context_data["bubbles"]]
    page = answer.content.decode()
    assert (shown == rows[5:405], answer.context_data["last"]) == (True, rows[404])
    assert ("?since=" in page, f"{chat_of(rows[404])}?around=1" in page, f'"{chat_of(rows[404])}"' in page) == (
        *(False, True, True),
    )


@pytest.mark.parametrize(("messages", "is_live"), [(4, True), (5, False), (6, False)])
def test_a_page_around_a_message_is_live_until_it_would_reload(
    messages: int, is_live: bool, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_CHAT_SIZE", 5)
    monkeypatch.setattr(pages, "CHAT_SIZE", 2)
    rows = many(messages - 1)
    page = viewer.get(chat_of(rows[1]), {"around": "1"}).content.decode()
    refreshes = viewer.get(f"{LIST}{rows[-1].pk}/messages/", {"since": str(rows[0].pk)}).headers.get("HX-Refresh")
    assert ("?since=" in page, refreshes is None) == (is_live, is_live)


def test_the_live_part_of_a_chat_is_empty_if_nothing_has_changed(viewer: Client) -> None:
    message = wrote()
    path = f"{LIST}{message.pk}/messages/"
    found = given(viewer, path, {"since": message.pk})
    assert (found["conversation"].latest, found["anchor"], found["since"]) == (message, message, message)
    assert viewer.get(path, {"since": str(message.pk), "seen": str(found["digest"])}).status_code == 204
    assert viewer.get(path, {"since": str(message.pk), "seen": "other"}).status_code == 200


def test_a_chat_without_messages_since_the_given_time_is_empty(viewer: Client) -> None:
    message, later = wrote(at=now() - 60), wrote(sender="15551230002")
    found = given(viewer, f"{LIST}{message.pk}/messages/", {"since": later.pk})
    assert (found["bubbles"], found["since"]) == ([], message)


@pytest.mark.parametrize(
    ("age_s", "policy", "may_write"),
    [(60, "reject", True), (90_000, "reject", False), (90_000, "off", True), (60, "off", True)],
)
def test_texts_may_be_written_in_an_open_window_or_without_the_check(
    age_s: int, policy: str, may_write: bool, viewer: Client, settings: Any
) -> None:
    settings.WA_WINDOW_POLICY = policy
    assert given(viewer, chat_of(wrote(at=now() - age_s)))["may_write"] is may_write


@pytest.mark.parametrize(
    ("left_s", "words"),
    [
        (7200, "The 24-hour window is open for 2 h more."),
        (3600, "The 24-hour window is open for 1 h more."),
        (3599, "The 24-hour window is open for 59 min more."),
        (61, "The 24-hour window is open for 1 min more."),
        (1, "The 24-hour window is open for 1 min more."),
    ],
)
def test_the_window_is_open_for_hours_and_then_minutes(
    left_s: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now() - timedelta(hours=12)
    one = Conversation(BusinessNumber(), None, (), Message(peer=ANN), at)
    clock = SimpleNamespace(now=lambda: at + timedelta(hours=24, seconds=-left_s))
    monkeypatch.setattr(pages, "timezone", clock)
    assert pages.window_text(one) == words


def test_a_closed_window_takes_templates_alone() -> None:
    one = Conversation(BusinessNumber(), None, (), Message(peer=ANN))
    assert pages.window_text(one) == "The 24-hour window is closed: WhatsApp accepts only templates."


def test_the_message_of_a_path_is_read_with_its_number_and_contact_at_once() -> None:
    message = wrote()
    with CaptureQueriesContext(connection) as made:
        found = pages._message(message.pk)
        assert (found.number.pk, found.contact is None) == (message.number_id, False)
    assert (len(made), '"raw"' in made[0]["sql"]) == (1, False)


def test_the_choice_of_templates_without_a_search_has_all(operator: Client) -> None:
    message = wrote()
    rows = tuple(synced_template(name, waba_id=message.number.waba_id) for name in ("bill", "offer"))
    answer: Any = operator.post(f"{LIST}{message.pk}/templates/")
    assert (answer.status_code, answer.context_data["anchor"]) == (200, message)
    assert answer.context_data["synced_templates"].listed == rows


def test_the_first_two_hundred_names_are_offered_in_their_order(operator: Client) -> None:
    message = wrote()
    names = [f"t{n:03}" for n in range(201)]
    TemplateCategory.objects.bulk_create(TemplateCategory(name=name, category="utility") for name in reversed(names))
    assert given(operator, chat_of(message))["templates"] == names[:200]
