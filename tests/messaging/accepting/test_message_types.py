"""Other messages than text and templates, by the API: taken, stored, answered, and on their way to Meta."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.accepting.python_api import send_message
from messaging.accepting.service_window import WindowClosed
from messaging.incoming.store import receive
from messaging.messages.admin import MessageAdmin
from messaging.models import Message
from messaging.outgoing.claims import claim
from messaging.outgoing.release import release
from messaging.whatsapp.outbound import InvalidContent
from tests.messaging.accepting.test_api import SEND
from tests.messaging.accepting.test_bulk import BULK
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import number, pending
from tests.messaging.outgoing.test_call_pool import Meta, run

pytestmark = pytest.mark.django_db
WRITER = "15551230001"
USER_ID = "US.13491208655302741918"
BUTTONS: dict[str, Any] = {
    "type": "button",
    "body": {"text": "Which one?"},
    "action": {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "This one"}}]},
}
IMAGE = {"link": "https://example.com/a.png", "caption": "A cat"}


@pytest.fixture
def question() -> Message:
    """What the writer wrote just now."""
    receive(webhook(inbound_text(wamid="wamid.Q", sender=WRITER, at=int(timezone.now().timestamp()))))
    return Message.objects.get()


def post(api: APIClient, message_type: str = "image", data: Any = IMAGE, **more: Any) -> Any:
    body = {"phone_number": WRITER, "message_type": message_type, "message_data": data, **more}
    return api.post(SEND, body, format="json")


def sent_body() -> Any:
    """What Meta is asked to send."""
    number()
    meta = Meta()
    run(meta, claim([release(number().pk)[0]]))
    return meta.bodies[0]


def test_an_interactive_message_is_stored_with_its_text(api: APIClient) -> None:
    message = Message.objects.get(id=post(api, "interactive", BUTTONS).data["id"])
    assert (message.type, message.text, message.content) == ("interactive", "Which one?", BUTTONS)


def test_invalid_message_data_are_named_by_their_path(api: APIClient) -> None:
    long = {"type": "reply", "reply": {"id": "a", "title": "t" * 21}}
    answer = post(api, "interactive", BUTTONS | {"action": {"buttons": [long]}})
    path = "message_data.action.buttons[0].reply.title"
    assert (answer.status_code, list(answer.json())) == (400, [path])
    assert "1 to 20 characters" in answer.json()[path][0]


@pytest.mark.django_db(transaction=True)
def test_a_reply_by_our_id_is_sent_with_the_wamid(api: APIClient, question: Message) -> None:
    post(api, reply_to=str(question.id))
    body = sent_body()
    assert (body["image"], body["context"]) == (IMAGE, {"message_id": "wamid.Q"})


@pytest.mark.django_db(transaction=True)
def test_a_reaction_by_our_id_is_sent_with_the_wamid(api: APIClient, question: Message) -> None:
    post(api, "reaction", {"message_id": str(question.id), "emoji": "👍"})
    body = sent_body()
    assert body["reaction"] == {"message_id": "wamid.Q", "emoji": "👍"}
    assert "context" not in body


@pytest.mark.django_db(transaction=True)
def test_a_user_without_a_number_is_sent_to_by_user_id(api: APIClient) -> None:
    post(api, phone_number=USER_ID)
    assert sent_body()["recipient"] == USER_ID


def test_a_reply_to_an_unknown_wamid_is_accepted(api: APIClient) -> None:
    post(api, reply_to="wamid.LONGAGO")
    assert Message.objects.get().context_wamid == "wamid.LONGAGO"


def test_a_reply_to_a_message_of_another_conversation_is_refused(api: APIClient, question: Message) -> None:
    answer = post(api, reply_to=str(question.id), phone_number="16502530000")
    assert (answer.status_code, list(answer.json())) == (400, ["reply_to"])


def test_a_reply_to_a_message_that_meta_has_not_accepted_is_refused(api: APIClient) -> None:
    (waiting,) = pending(peer=WRITER)
    assert "not accepted" in str(post(api, reply_to=str(waiting.id)).json()["reply_to"])


def test_an_unknown_reply_target_is_named_by_its_field(api: APIClient) -> None:
    assert list(post(api, reply_to=str(uuid4())).json()) == ["reply_to"]
    answer = post(api, "reaction", {"message_id": str(uuid4()), "emoji": "👍"})
    assert list(answer.json()) == ["message_data.message_id"]


def test_a_reaction_with_reply_to_is_refused(api: APIClient) -> None:
    data = {"message_id": "wamid.A", "emoji": "👍"}
    assert list(post(api, "reaction", data, reply_to="wamid.A").json()) == ["reply_to"]


@pytest.mark.parametrize(("age", "status"), [({"days": 29, "hours": 23}, 202), ({"days": 30, "hours": 1}, 400)])
@pytest.mark.parametrize("names", ["id", "wamid"])
def test_a_message_of_more_than_30_days_gets_no_reaction(
    api: APIClient, question: Message, age: dict[str, float], status: int, names: str
) -> None:
    Message.objects.update(at=timezone.now() - timedelta(**age))
    answer = post(api, "reaction", {"message_id": str(getattr(question, names)), "emoji": "👍"})
    assert answer.status_code == status
    assert status == 202 or "30 days" in str(answer.json()["message_data.message_id"])


def test_a_message_of_ours_is_as_old_as_its_acceptance_by_meta(api: APIClient) -> None:
    (ours,) = pending(peer=WRITER)
    old, recent = (timezone.now() - timedelta(days=days) for days in (40, 20))
    Message.objects.filter(pk=ours.pk).update(wamid="wamid.O", at=old, outcome_at=recent)
    assert post(api, "reaction", {"message_id": "wamid.O", "emoji": "👍"}).status_code == 202


def test_a_reply_may_be_to_an_old_message(api: APIClient, question: Message) -> None:
    Message.objects.update(at=timezone.now() - timedelta(days=40))
    assert post(api, reply_to=str(question.id)).status_code == 202


def test_a_bulk_resolves_the_reply_target_of_each_item(api: APIClient, question: Message) -> None:
    good = {"phone_number": WRITER, "message_type": "image", "message_data": IMAGE, "reply_to": str(question.id)}
    answer = api.post(BULK, {"messages": [good, good | {"reply_to": str(uuid4())}]}, format="json")
    good_one, bad_one = answer.json()["results"]
    assert ("id" in good_one, list(bad_one["errors"])) == (True, ["reply_to"])


@pytest.mark.parametrize(("message_type", "data"), [("image", IMAGE), ("interactive", BUTTONS)])
def test_the_customer_service_window_applies_to_every_free_form_type(
    api: APIClient, message_type: str, data: Any, settings: Any
) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    assert list(post(api, message_type, data).json()) == ["message_type"]
    with pytest.raises(WindowClosed):
        send_message(WRITER, message_type, data)


def test_python_sends_any_type(question: Message) -> None:
    message = Message.objects.get(id=send_message(WRITER, "interactive", BUTTONS, reply_to=str(question.id)))
    assert (message.text, message.context_wamid) == ("Which one?", "wamid.Q")
    with pytest.raises(InvalidContent, match="reply_to"):
        send_message(WRITER, "image", IMAGE, reply_to=str(uuid4()))


@pytest.mark.parametrize(
    ("message_type", "data", "shown"),
    [
        ("text", {"content": "Hi"}, "Hi"),
        ("image", IMAGE, "[image] A cat"),
        ("interactive", BUTTONS, "[button] Which one?"),
        ("template", {"name": "order_ready", "language": "en"}, "[order_ready]"),
        ("sticker", {"id": "1"}, "[sticker]"),
    ],
)
def test_the_admin_shows_the_type_of_a_message(message_type: str, data: Any, shown: str) -> None:
    message = Message.objects.get(id=send_message(WRITER, message_type, data))
    assert MessageAdmin.short_text(None, message) == shown  # type: ignore[arg-type]
