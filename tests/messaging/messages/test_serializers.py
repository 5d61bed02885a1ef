"""A message in the API has the same fields as in an event."""

import pytest

from messaging.incoming.store import receive
from messaging.messages.serializers import MessageSerializer
from messaging.models import Message
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.subscriptions.factories import subscription, tell

pytestmark = pytest.mark.django_db
SHARED = ("id", "wamid", "phone_number", "sender", "type", "content", "media", "text", "context_wamid")


@pytest.mark.parametrize(
    ("context", "wamid"), [({}, None), ({"context": {"id": "wamid.Q"}}, "wamid.Q")], ids=["no reply", "a reply"]
)
def test_the_api_and_an_event_give_a_message_the_same_values(context: dict[str, object], wamid: str | None) -> None:
    subscription()
    receive(webhook({**inbound_text(), **context}))
    (body,) = tell()
    shown = MessageSerializer(Message.objects.get()).data
    assert {name: shown[name] for name in SHARED} == {name: body["data"][name] for name in SHARED}
    assert shown["context_wamid"] == wamid
