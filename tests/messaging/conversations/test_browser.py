"""Conversations in a browser: they come live, are replied to, and can be read by everybody."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.models import BusinessNumber, Direction, Message
from tests.messaging.conversations.factories import ANN, LIST, chat_of, now, wrote
from tests.messaging.factories import number
from tests.messaging.message_templates.rows import synced_template
from tests.pages import THEMES, OpenPage, check_looks, needs_chromium, wait_until

pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def talk() -> Message:
    """One with a bit of everything, and another that is closed."""
    wrote("text", "Of last week", sender="15551230002", name="Bob", at=now() - 600_000)
    wrote("text", "Hi! Where is my order? " * 4, wamid="wamid.FIRST", at=now() - 500)
    states: list[tuple[str, dict[str, Any]]] = [
        ("read", {}), ("delivered", {}), ("sent", {}), ("pending", {"hold": "pair"}),
        ("failed", {"error_code": 131026, "error_title": "Message undeliverable"}), ("unknown", {}),
    ]  # fmt: skip
    for n, (state, fields) in enumerate(states):
        data: dict[str, object] = {"content": f"Our answer number {n}"}
        (row,) = accept([NewMessage(ANN, "text", data, number())])
        Message.objects.filter(pk=row.pk).update(status=state, **fields)
    parameters = [{"type": "text", "text": "Monday"}]
    components = [{"type": "body", "parameters": parameters}]
    accept([NewMessage(ANN, "template", {"name": "order", "language": "en", "components": components}, number())])
    wrote("reaction", {"message_id": "wamid.FIRST", "emoji": "❤"})
    wrote("image", {"id": "1", "caption": "Is it this one?"})
    return wrote("text", "Thank you!\nBye", context="wamid.FIRST", at=now() + 1)


@pytest.mark.parametrize("theme", THEMES)
def test_the_pages_fit_the_screen_and_are_readable(open_page: OpenPage, talk: Message, theme: str) -> None:
    page = open_page(LIST, color_scheme=theme)
    closed = Message.objects.get(text="Of last week")
    for name, path in {"list": LIST, "chat": chat_of(talk), "closed": chat_of(closed)}.items():
        page.goto(path)
        check_looks(page, theme, f"conversation-{name}")


def test_new_messages_are_shown_without_reloading(open_page: OpenPage, talk: Message) -> None:
    page = open_page(chat_of(talk))
    page.fill("#reply-text", "half a sentence")
    wrote("text", "One more thing", at=now() + 2)
    page.wait_for_selector("text=One more thing")
    page.wait_for_selector("#chat-news:text-is('A new message')", state="attached")
    wait_until(page, TO_THE_END)
    assert page.input_value("#reply-text") == "half a sentence"


@pytest.mark.parametrize("theme", THEMES)
def test_a_template_is_chosen_filled_in_previewed_and_sent(open_page: OpenPage, talk: Message, theme: str) -> None:
    body = {"type": "BODY", "text": "Order {{order}} comes on {{day}}."}
    track = {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}"}
    parts = [{"type": "HEADER", "format": "IMAGE"}, body, {"type": "BUTTONS", "buttons": [track]}]
    synced_template("order_update", "en", talk.number.waba_id or "77", components=parts)
    BusinessNumber.objects.filter(pk=talk.number_id).update(waba_id=talk.number.waba_id or "77")
    page = open_page(chat_of(Message.objects.get(text="Of last week")), color_scheme=theme)
    page.select_option("#template", label="order_update · en")
    page.fill("text=Body: order", "17")
    page.fill("text=Body: day", "Monday")
    page.wait_for_selector("#template-preview >> text=Order 17 comes on Monday.")
    check_looks(page, theme, "conversation-template")
    page.fill("text=Address (https) of the image", "https://example.com/a.png")
    page.fill("text=Ending of the link", "17")
    page.click("text=Send the template")
    page.wait_for_selector("article >> text=order_update")


def test_a_double_click_on_send_sends_once(open_page: OpenPage, talk: Message) -> None:
    before = Message.objects.filter(direction=Direction.OUTBOUND).count()
    page = open_page(chat_of(talk))
    page.fill("#reply-text", "It comes on Monday.")
    page.dblclick(".composer-text button")
    page.wait_for_selector("article >> text=It comes on Monday.")
    assert Message.objects.filter(direction=Direction.OUTBOUND).count() == before + 1


def test_earlier_messages_are_added_above_and_the_scroll_position_is_kept(open_page: OpenPage, talk: Message) -> None:
    Message.objects.bulk_create(
        Message(number=talk.number, peer=ANN, direction="inbound", type="text", text=f"no {n};", status="received",
                at=timezone.now() - timedelta(seconds=9000 - n))
        for n in range(70)
    )  # fmt: skip
    page = open_page(chat_of(talk))
    assert page.locator("text=no 5;").count() == 0
    page.click("text=Earlier messages")
    wait_until(page, "document.querySelectorAll('.bubble').length > 60")
    wait_until(page, "document.getElementById('chat').scrollTop > 200")


def test_the_chat_works_without_javascript(open_page: OpenPage, talk: Message) -> None:
    page = open_page(chat_of(talk), java_script_enabled=False)
    assert "Where is my order" in page.inner_html("#chat")


PICTURE = "data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22 width=%22100%22 height=%22900%22/>"
TO_THE_END = (
    "() => { const c = document.getElementById('chat'); return c.scrollHeight - c.scrollTop - c.clientHeight < 2; }"
)


# A picture that takes its height when it comes, outside of what is fetched again every few seconds.
GROW = (
    "() => { const i = new Image(); i.style = 'display: block; height: 900px';"
    " document.getElementById('chat-messages').append(i) }"
)
SHRINK = "() => { document.querySelector('#live .bubble').style.display = 'none' }"
# As a late event of an earlier scroll: it is dispatched before the browser has laid out what has changed.
LATE_SCROLL = "() => document.getElementById('chat').dispatchEvent(new Event('scroll'))"


@pytest.mark.parametrize(
    "steps", [(GROW,), (GROW, LATE_SCROLL), (SHRINK, GROW, LATE_SCROLL), (LATE_SCROLL, GROW, SHRINK)]
)
def test_a_chat_stays_at_its_newest_message_whatever_changes_its_height(
    open_page: OpenPage, talk: Message, steps: tuple[str, ...]
) -> None:
    page = open_page(chat_of(talk))
    # Each step in a frame of its own, at its beginning: the layout follows, then the observer.
    frames = ", ".join(steps)
    page.evaluate(
        f"async () => {{ for (const step of [{frames}]) await new Promise((done) =>"
        " requestAnimationFrame(() => { step(); setTimeout(done) })) }"
    )
    wait_until(page, "() => document.getElementById('chat').scrollHeight > 900")
    wait_until(page, TO_THE_END)


def test_a_reader_of_older_messages_is_not_moved_by_a_picture(open_page: OpenPage, talk: Message) -> None:
    page = open_page(chat_of(talk))
    wait_until(page, TO_THE_END)
    page.evaluate(
        "() => new Promise((done) => { const chat = document.getElementById('chat');"
        " chat.addEventListener('scroll', () => chat.scrollTop || setTimeout(done)); chat.scrollTop = 0 })"
    )
    page.evaluate(
        "(src) => new Promise((done) => { const i = new Image(); i.onload = () => setTimeout(done, 50); i.src = src;"
        " document.getElementById('chat-messages').append(i) })",
        PICTURE,
    )
    assert page.evaluate("document.getElementById('chat').scrollTop") == 0
