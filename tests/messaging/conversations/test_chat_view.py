"""A conversation's page: what each message looks like, what comes live, and what comes when one goes back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.conversations.chat_view import Bubble, bubbles_of, digest_of_bubbles
from messaging.conversations.queries import conversation_of, messages_of
from messaging.incoming.store import receive
from messaging.messages.summaries import Summary, preview, summarize
from messaging.models import AuditEntry, Contact, Message
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.conversations.factories import ANN, LIST, chat_of, now, wrote
from tests.messaging.factories import number, pending

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def chat(client: Client, message: Message, query: str = "") -> str:
    answer = client.get(chat_of(message) + query)
    assert answer.status_code == 200
    return answer.content.decode()


PLACE = {"latitude": 48.1, "longitude": 11.5, "name": "Office", "address": "Way 1"}
CHOICE = {"type": "list_reply", "list_reply": {"id": "1", "title": "Tea", "description": "Green"}}
CARDS = [{"name": {"formatted_name": "Bob"}, "phones": [{"phone": "+1555"}]}]
ITEM = {"product_retailer_id": "sku", "quantity": 2, "item_price": 3, "currency": "EUR"}
CONTENTS: list[tuple[str, Any, list[str]]] = [
    ("image", {"id": "1", "caption": "my invoice"}, ["Image", "my invoice"]),
    ("document", {"id": "1", "filename": "bill.pdf"}, ["Document", "bill.pdf"]),
    ("location", PLACE, ["Office", "Way 1", "48.1, 11.5"]),
    ("button", {"text": "Yes", "payload": "y"}, ["Tapped a button", "Yes"]),
    ("interactive", CHOICE, ["Chose from a list", "Tea", "Green"]),
    ("contacts", CARDS, ["Contact card", "Bob", "+1555"]),
    ("order", {"catalog_id": "1", "product_items": [ITEM]}, ["2 x sku at 3 EUR"]),
    ("system", {"body": "Ann changed her number", "type": "user_changed_number"}, ["Ann changed her number"]),
    ("hologram", {"x": 1}, ["Hologram"]),
]


@pytest.mark.parametrize(("kind", "node", "words"), CONTENTS, ids=[row[0] for row in CONTENTS])
def test_each_message_type_has_its_label(kind: str, node: Any, words: list[str], operator: Client) -> None:
    page = chat(operator, wrote(kind, node))
    assert [word for word in words if word not in page] == []


STRANGE: list[Any] = [None, [], "text", {"contacts": 3}, {"components": [1, {"parameters": [None]}]}, {"body": []}]


@pytest.mark.parametrize("content", STRANGE, ids=str)
@pytest.mark.parametrize("kind", ["template", "interactive", "contacts", "order", "location", "image", "unsupported"])
def test_no_content_breaks_the_summary(kind: str, content: Any) -> None:
    assert preview(Message(type=kind, content=content))


def test_a_template_shows_its_name_and_parameters(operator: Client) -> None:
    parameters = [{"type": "text", "text": "Monday"}]
    data: dict[str, object] = {
        "name": "order_update", "language": "en_US", "components": [{"type": "body", "parameters": parameters}],
    }  # fmt: skip
    (message,) = accept([NewMessage(ANN, "template", data, number())])
    page = chat(operator, message)
    assert ("Template order_update (en_US)" in page, "body: Monday" in page) == (True, True)


def test_a_reaction_is_shown_at_its_message_and_the_last_one_counts(operator: Client) -> None:
    message = wrote(wamid="wamid.TARGET")
    for second, emoji in enumerate(["👍", "🎉"]):
        wrote("reaction", {"message_id": "wamid.TARGET", "emoji": emoji}, at=now() + second)
    page = chat(operator, message)
    assert ("🎉" in page, "👍" in page, page.count('class="bubble ')) == (True, False, 1)


def test_a_removed_reaction_is_not_shown(operator: Client) -> None:
    message = wrote(wamid="wamid.TARGET")
    wrote("reaction", {"message_id": "wamid.TARGET", "emoji": "👍"})
    wrote("reaction", {"message_id": "wamid.TARGET"}, at=now() + 1)
    assert "👍" not in chat(operator, message)


def test_a_reaction_to_an_unknown_message_is_a_line(operator: Client) -> None:
    assert "Reacted 👍" in chat(operator, wrote("reaction", {"message_id": "wamid.ELSEWHERE", "emoji": "👍"}))


def test_the_latest_reaction_of_each_side_is_shown() -> None:
    message = wrote(wamid="wamid.TARGET")
    for second, emoji in ((3, "🎉"), (1, "👍")):
        wrote("reaction", {"message_id": "wamid.TARGET", "emoji": emoji}, at=now() - 10 + second)
    Message.objects.create(
        number=message.number, peer=ANN, direction="outbound", type="reaction", text="🙏", status="sent",
        context_wamid="wamid.TARGET", at=timezone.now(),
    )  # fmt: skip
    (bubble,) = bubbles_of([message])
    assert sorted(bubble.reactions) == ["🎉", "🙏"]


def test_what_is_not_a_reaction_edit_or_revoke_changes_nothing() -> None:
    wrote("text", "Which size?", wamid="wamid.TARGET")
    wrote("text", "Large", wamid="wamid.ANSWER", context="wamid.TARGET")
    target, answer = bubbles_of(list(Message.objects.order_by("pk")))
    assert (target.deleted, target.edited, target.reactions, target.quoted, answer.quoted) == (
        *(False, "", [], "", "Which size?"),
    )


def test_the_first_text_of_a_message_that_was_edited_twice_is_kept() -> None:
    message = wrote("document", {"id": "1", "filename": "bill.pdf"}, wamid="wamid.TARGET")
    Message.objects.filter(pk=message.pk).update(text="at nine")
    message.refresh_from_db()
    before = summarize(message)
    for second, text in enumerate(["at ten", "at eleven"]):
        new = {"type": "text", "text": {"body": text}}
        wrote("edit", {"original_message_id": "wamid.TARGET", "message": new}, at=now() + second)
    (bubble,) = bubbles_of([message])
    assert (bubble.edited, bubble.summary) == (before.text, Summary("at eleven", before.label, before.lines))


def test_an_edit_of_a_message_without_a_text_says_so() -> None:
    message = wrote("image", {"id": "1"}, wamid="wamid.TARGET")
    wrote("edit", {"original_message_id": "wamid.TARGET", "message": {"type": "text", "text": {"body": "at ten"}}})
    (bubble,) = bubbles_of([message])
    assert bubble.edited == "(no text)"


@pytest.mark.parametrize(
    ("direction", "kind", "shown"),
    [
        ("outbound", "text", "mine"),
        ("inbound", "text", "theirs"),
        ("inbound", "system", "line"),
        ("inbound", "reaction", "line"),
        ("outbound", "edit", "line"),
    ],
)
def test_a_message_is_a_bubble_of_its_side_or_a_line(direction: str, kind: str, shown: str) -> None:
    assert bubble_of(direction=direction, type=kind).kind == shown


@pytest.mark.parametrize(
    ("status", "tick"), [("received", ("", "")), ("read", ("✓✓", "read")), ("expired", ("✕", "expired"))]
)
def test_a_status_has_a_sign_and_a_meaning(status: str, tick: tuple[str, str]) -> None:
    assert bubble_of(status=status).tick == tick


MEANING = "Not deliverable: no WhatsApp user, terms not accepted, or an old app"


@pytest.mark.parametrize(
    ("code", "title", "words"),
    [
        (None, "", ""),
        (None, "Undeliverable", "Undeliverable"),
        (131026, "", f"{MEANING} (131026)"),
        (131026, "Undeliverable", f"{MEANING} (131026: Undeliverable)"),
    ],
)
def test_an_error_is_described_in_our_words_and_metas(code: int | None, title: str, words: str) -> None:
    assert bubble_of(error_code=code, error_title=title).error == words


def bubble_of(**fields: Any) -> Bubble:
    message = Message(**{"type": "text", "direction": "outbound", "status": "sent", **fields})
    return Bubble(message, Summary("hello"))


def test_a_bubble_without_a_file_has_no_media() -> None:
    assert bubbles_of([wrote()])[0].media == ""


def test_the_digest_of_what_is_shown_changes_with_each_message() -> None:
    at = timezone.now()
    one, other = UUID(int=1), UUID(int=2)
    shown = [(one, at), (other, at), (one, at + timedelta(seconds=1))]
    digests = [digest_of_bubbles([bubble_of(id=pk, updated_at=time)], "open") for pk, time in shown]
    digests.append(digest_of_bubbles([bubble_of(id=one, updated_at=at)], "closed"))
    assert (len(set(digests)), {len(digest) for digest in digests}) == (4, {16})


def test_the_first_message_of_a_day_has_its_date() -> None:
    rows = [wrote("text", str(n), at=at) for n, at in enumerate((1_790_000_000, 1_790_000_001, 1_790_100_000))]
    assert [bubble.day is None for bubble in bubbles_of(rows)] == [False, True, False]


def test_a_reply_shows_the_account_that_sent_it() -> None:
    first, second = pending(2)
    mine = wrote()
    for action, message, who in (("reply", first, "ann"), ("cancel", second, "bob"), ("reply", mine, "eve")):
        AuditEntry.objects.create(who=who, action=action, object=f"message {message.pk}")
    assert [bubble.by for bubble in bubbles_of([first, second, mine])] == ["ann", "", ""]


def test_a_page_of_messages_takes_one_statement_and_another_for_what_it_quotes(django_assert_num_queries: Any) -> None:
    target = wrote("text", "Which size?", wamid="wamid.TARGET")
    answer = wrote("text", "Large", context="wamid.TARGET")
    with django_assert_num_queries(1):
        bubbles_of([target, answer])
    with CaptureQueriesContext(connection) as made:
        bubbles_of([answer])
    assert (len(made), [query["sql"] for query in made if '"raw"' in query["sql"]]) == (2, [])


def test_a_reply_quotes_its_target(operator: Client) -> None:
    wrote("text", "Which size?", wamid="wamid.TARGET")
    assert "<blockquote>Which size?</blockquote>" in chat(operator, wrote("text", "Large", context="wamid.TARGET"))


def test_a_deleted_message_is_marked(operator: Client) -> None:
    message = wrote("text", "a slip", wamid="wamid.TARGET")
    wrote("revoke", {"original_message_id": "wamid.TARGET"})
    assert "Deleted by its sender" in chat(operator, message)


def test_an_edited_message_shows_both_texts(operator: Client) -> None:
    message = wrote("text", "at nine", wamid="wamid.TARGET")
    new = {"type": "text", "text": {"body": "at ten"}}
    wrote("edit", {"original_message_id": "wamid.TARGET", "message": new})
    page = chat(operator, message)
    assert ("at nine" in page, "at ten" in page, "Edited" in page) == (True, True, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "read"}, "✓✓"),
        ({"status": "failed", "error_code": 131026, "error_title": "Undeliverable"}, "(131026: Undeliverable)"),
        ({"hold": "pair"}, "Waits for an earlier message to the same recipient"),
        ({"status": "unknown"}, "answer lost"),
    ],
    ids=str,
)
def test_outbound_messages_show_their_status(fields: dict[str, Any], words: str, operator: Client) -> None:
    (message,) = pending(1, peer=ANN)
    Message.objects.filter(pk=message.pk).update(**fields)
    assert words in chat(operator, message)


def test_the_chat_is_in_metas_order(operator: Client) -> None:
    second = wrote("text", "the second", at=now() - 10)
    wrote("text", "the first", at=now() - 20)
    page = chat(operator, second)
    assert page.index("the first") < page.index("the second")


def test_of_messages_in_one_second_a_page_has_each_once() -> None:
    rows = sorted((wrote("text", str(n), at=now() - 9) for n in range(4)), key=lambda row: row.pk)
    of = conversation_of(rows[0])
    assert messages_of(of, 9, since=rows[2]) == rows[2:]
    assert messages_of(of, 9, before=rows[2]) == rows[:2]


def test_messages_of_a_contacts_old_number_belong_to_the_conversation(operator: Client) -> None:
    old = wrote("text", "from the old number")
    Contact.objects.update(phone="15559990000", phone_key="15559990000")
    wrote("text", "from the new one", sender="15559990000")
    page = chat(operator, old)
    assert ("from the old number" in page, "from the new one" in page) == (True, True)


def test_messages_of_another_business_number_do_not_belong_to_the_conversation(operator: Client) -> None:
    message = wrote("text", "to the first")
    body = webhook(inbound_text(wamid="wamid.SECOND", text="to the second", sender=ANN))
    body["entry"][0]["changes"][0]["value"]["metadata"] = {"display_phone_number": "7", "phone_number_id": "7"}
    receive(body)
    assert "to the second" not in chat(operator, message)


def many(count: int) -> list[Message]:
    (first,) = pending(1, peer=ANN)
    Message.objects.bulk_create(
        Message(number=first.number, peer=ANN, direction="inbound", type="text", text=f"no {n};", status="received")
        for n in range(count)
    )
    return list(Message.objects.order_by("at", "id"))


def test_a_long_chat_shows_its_end_and_loads_older_messages(operator: Client) -> None:
    rows = many(60)
    page = chat(operator, rows[-1])
    assert ("no 59;" in page, "no 10;" in page) == (True, False)
    before = page.split("?before=")[1].split('"')[0]
    older = operator.get(f"{LIST}{rows[-1].pk}/messages/?before={before}").content.decode()
    assert ("no 59;" in older, "no 10;" in older, "Earlier messages" in older) == (False, True, False)


def test_an_old_message_is_shown_with_its_neighbours(operator: Client) -> None:
    rows = many(90)
    page = chat(operator, rows[30], "?around=1")
    assert (f'data-around="m-{rows[30].pk}"' in page, rows[29].text in page, rows[31].text in page) == (
        True,
        True,
        True,
    )


def live(page: str) -> str:
    return page.split('id="live"')[1].split('hx-get="')[1].split('"', maxsplit=1)[0].replace("&amp;", "&")


def test_an_unchanged_chat_is_a_204(operator: Client) -> None:
    page = chat(operator, wrote())
    assert operator.get(live(page)).status_code == 204


def test_a_new_message_is_returned_with_the_shown_ones(operator: Client) -> None:
    page = chat(operator, wrote("text", "first"))
    wrote("text", "second")
    news = operator.get(live(page)).content.decode()
    assert ("first" in news, "second" in news, "<html" in news) == (True, True, False)


def test_a_status_change_is_returned_too(operator: Client) -> None:
    (message,) = pending(1, peer=ANN)
    page = chat(operator, message)
    Message.objects.update(status="read", updated_at=timezone.now())
    assert "tick-read" in operator.get(live(page)).content.decode()


def test_what_users_write_is_escaped(operator: Client) -> None:
    script = "<script>alert(1)</script>"
    wrote("text", script, name=script, wamid="wamid.TARGET")
    wrote("reaction", {"message_id": "wamid.TARGET", "emoji": script})
    message = wrote("document", {"id": "1", "filename": script, "caption": script}, name=script, context="wamid.TARGET")
    pages = [chat_of(message), f"/admin/messaging/contact/{Contact.objects.get().pk}/change/"]
    assert [page for page in pages if script in operator.get(page).content.decode()] == []


def test_links_lead_to_the_conversation(operator: Client) -> None:
    message = wrote()
    pages = [
        f"/admin/messaging/message/{message.pk}/change/",
        f"/admin/messaging/contact/{Contact.objects.get().pk}/change/",
    ]
    assert all(chat_of(message) in operator.get(page).content.decode() for page in pages)


@pytest.mark.parametrize(
    "path", ["x/change/", "x/messages/", "{}/messages/", "{}/messages/?since=x", "{}/messages/?before=x"]
)
def test_an_unknown_conversation_is_a_404(path: str, operator: Client) -> None:
    assert operator.get(LIST + path.format(wrote().pk)).status_code in {302, 404}
