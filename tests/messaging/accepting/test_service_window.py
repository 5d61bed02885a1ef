"""Free text to a user who has not written within 24 hours."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.accepting.python_api import send_text_message
from messaging.accepting.service_window import WindowClosed, last_inbound
from messaging.incoming.store import receive
from messaging.models import BusinessNumber, Message
from tests.messaging.accepting.test_api import SEND, TEMPLATE
from tests.messaging.accepting.test_bulk import BULK
from tests.messaging.bodies import inbound_text, webhook

pytestmark = pytest.mark.django_db
WRITER, STRANGER = "16502530000", "16502530001"


def text_to(peer: str, **more: Any) -> dict[str, Any]:
    return {"phone_number": f"+{peer}", "message_type": "text", "message_data": {"content": "hi"}, **more}


def wrote(peer: str = WRITER, *, ago: timedelta = timedelta(hours=1)) -> None:
    """The peer wrote to the default number."""
    at: datetime = timezone.now() - ago
    receive(webhook(inbound_text(wamid=f"wamid.{peer}", sender=peer, at=int(at.timestamp()))))


def warned(answer: Any) -> bool:
    return any("24 hours" in warning for warning in answer.data.get("warnings", []))


def test_a_send_within_the_window_has_no_warning(api: APIClient) -> None:
    wrote()
    assert not warned(api.post(SEND, text_to(WRITER), format="json"))


def test_a_send_outside_the_window_is_accepted_with_a_warning(api: APIClient) -> None:
    wrote()
    answer = api.post(SEND, text_to(STRANGER), format="json")
    assert (answer.status_code, warned(answer)) == (202, True)


@pytest.mark.parametrize(("hours", "warns"), [(23.9, False), (24.1, True)])
def test_the_window_is_24_hours_of_the_users_own_time(hours: float, warns: bool, api: APIClient) -> None:
    wrote(ago=timedelta(hours=hours))
    assert warned(api.post(SEND, text_to(WRITER), format="json")) is warns


@pytest.mark.parametrize(("hours", "found"), [(23.9, [WRITER]), (24.1, [])])
def test_the_window_of_a_conversation_is_that_of_its_last_message(hours: float, found: list[str]) -> None:
    wrote(ago=timedelta(hours=hours))
    assert [peer for _, peer in last_inbound([WRITER, STRANGER], timezone.now())] == found


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=2), timedelta(days=3650)])
@pytest.mark.parametrize(("stored_ago", "warns"), [(timedelta(hours=23.9), False), (timedelta(hours=24.1), True)])
def test_a_time_in_the_future_opens_the_window_from_when_we_stored_the_message(
    ahead: timedelta, stored_ago: timedelta, warns: bool, api: APIClient
) -> None:
    wrote(ago=-ahead)
    Message.objects.update(created_at=timezone.now() - stored_ago)
    assert warned(api.post(SEND, text_to(WRITER), format="json")) is warns


def test_a_system_message_opens_no_window(api: APIClient) -> None:
    said = {"type": "system", "system": {"type": "user_identity_changed", "body": "changed"}}
    message = {**inbound_text(sender=WRITER, at=int(timezone.now().timestamp())), **said}
    receive(webhook(message))
    assert warned(api.post(SEND, text_to(WRITER), format="json"))


@pytest.mark.parametrize("kind", ["image", "reaction", "button", "hologram"])
def test_a_users_message_of_any_type_opens_the_window(kind: str, api: APIClient) -> None:
    receive(webhook({**inbound_text(sender=WRITER, at=int(timezone.now().timestamp())), "type": kind, kind: {}}))
    assert not warned(api.post(SEND, text_to(WRITER), format="json"))


def test_a_template_needs_no_window(api: APIClient) -> None:
    assert not warned(api.post(SEND, {**TEMPLATE, "phone_number": f"+{STRANGER}"}, format="json"))


def test_each_of_our_numbers_has_its_own_window(api: APIClient) -> None:
    wrote()
    BusinessNumber.objects.create(phone_number_id="777")
    assert warned(api.post(SEND, text_to(WRITER, sender="777"), format="json"))


def test_our_own_messages_open_no_window(api: APIClient) -> None:
    api.post(SEND, text_to(STRANGER), format="json")
    assert warned(api.post(SEND, text_to(STRANGER), format="json"))


def test_policy_off_skips_the_window(api: APIClient, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "off"
    assert not warned(api.post(SEND, text_to(STRANGER), format="json"))


def test_policy_reject_is_400_naming_the_field_and_stores_nothing(api: APIClient, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    answer = api.post(SEND, text_to(STRANGER), format="json")
    assert (answer.status_code, list(answer.data), Message.objects.count()) == (400, ["message_type"], 0)


def test_policy_reject_in_a_bulk_refuses_by_index(api: APIClient, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    wrote()
    items = [text_to(STRANGER), text_to(WRITER), {}]
    results = api.post(BULK, {"messages": items}, format="json").data["results"]
    assert [next(iter(row.get("errors", ["accepted"]))) for row in results] == [
        "message_type",
        "accepted",
        "phone_number",
    ]


def test_policy_reject_raises_in_python(settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    with pytest.raises(WindowClosed):
        send_text_message(f"+{STRANGER}", "hi")


def test_a_bulk_looks_up_all_windows_in_one_query(api: APIClient, django_assert_num_queries: Any) -> None:
    api.post(SEND, text_to(WRITER), format="json")
    items = [text_to(f"1650253{n:04d}") for n in range(200)]
    with django_assert_num_queries(2):
        api.post(BULK, {"messages": items}, format="json")


def in_json(peer: str) -> dict[str, Any]:
    return {"phone_number": peer, "message_type": "text", "message_data": {"content": "hi"}}


@pytest.mark.parametrize("to", ["US.123", f"+{WRITER}"])
@pytest.mark.parametrize("last", ["with the number", "with the user id"])
def test_who_wrote_with_one_id_can_be_answered_at_the_other(to: str, last: str, api: APIClient, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    long_ago, now = (int((timezone.now() - ago).timestamp()) for ago in (timedelta(days=3), timedelta(minutes=1)))
    known = {**inbound_text(wamid="wamid.1", sender=WRITER, at=long_ago), "from_user_id": "US.123"}
    latest = {**inbound_text(wamid="wamid.2", sender=WRITER, at=now), "from_user_id": "US.123"}
    receive(webhook(known))
    body = webhook(latest)
    if last == "with the user id":
        del latest["from"]
        body["entry"][0]["changes"][0]["value"]["contacts"] = []
    receive(body)
    assert api.post(SEND, in_json(to), format="json").status_code == 202


def test_another_user_of_the_same_portfolio_is_outside_the_window(api: APIClient, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "reject"
    receive(webhook({**inbound_text(sender=WRITER, at=int(timezone.now().timestamp())), "from_user_id": "US.123"}))
    assert api.post(SEND, in_json("US.124"), format="json").status_code == 400
