"""People who write, and what is seen of it."""

from typing import Any

from django.test import Client
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.models import Message
from tests.admin.staff import staff
from tests.messaging.bodies import webhook

ANN = "15551230001"
LIST = "/admin/messaging/conversation/"
_numbers = iter(range(1_000_000))


def now() -> int:
    """In seconds, as Meta tells time."""
    return int(timezone.now().timestamp())


def wrote(kind: str = "text", node: Any = None, *, sender: str = ANN, name: str = "Ann", **more: Any) -> Message:
    """A message of a user, received; `at` in seconds, `context` the wamid that it replies to."""
    wamid = more.pop("wamid", f"wamid.USER{next(_numbers)}")
    message: dict[str, Any] = {"from": sender, "id": wamid, "timestamp": str(more.pop("at", now())), "type": kind}
    message[kind] = {"body": "hello"} if node is None else {"body": node} if isinstance(node, str) else node
    if context := more.pop("context", ""):
        message["context"] = {"id": context}
    receive(webhook(message, name=name))
    return Message.objects.get(wamid=wamid)


def chat_of(message: Message) -> str:
    """The path of its conversation."""
    return f"{LIST}{message.pk}/change/"


def logged_in(*permissions: str) -> Client:
    """Staff with these permissions of messaging."""
    return staff(*permissions, name="-".join(["staff", *permissions]))
