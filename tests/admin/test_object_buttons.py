"""An object's page has a button for each action on it."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.media_states import State
from messaging.models import ApiClient, ApiKey, BusinessNumber, Contact, Delivery, Hold, Media, Message
from messaging.states import Status
from monitoring.models import Alert
from tests.admin.staff import staff
from tests.messaging.factories import in_state, number
from tests.messaging.subscriptions.factories import subscription, waiting

pytestmark = pytest.mark.django_db


def alert() -> Alert:
    now = timezone.now()
    return Alert.objects.create(
        rule="lane-age", key="incoming", severity="critical", summary="old", since=now, fired_at=now, value=1
    )


def paused() -> BusinessNumber:
    return number(paused_at=timezone.now())


def contact(**fields: Any) -> Contact:
    return Contact.objects.create(phone="15551230001", phone_key="15551230001", **fields)


def hold(**fields: Any) -> Hold:
    return Hold.objects.create(kind="campaign", key="spring", by="ann", **fields)


def delivery(active: bool = True, **fields: Any) -> Delivery:
    (row,) = waiting(subscription(active=active), **fields)
    return row


def media(state: State) -> Media:
    now = timezone.now()
    return Media.objects.create(
        message=in_state(Status.DELIVERED), state=state, kind="image", due_at=now, give_up_at=now
    )


def url(obj: Any) -> str:
    return f"/admin/{str(obj._meta).replace('.', '/')}/{obj.pk}"


def press(client: Client, obj: Any, action: str) -> Any:
    return client.post(f"{url(obj)}/do/{action}/", follow=True)


SHOWN: list[tuple[Any, set[str]]] = [
    (lambda: in_state(Status.PENDING), {"cancel"}),
    (lambda: in_state(Status.FAILED), {"send_again"}),
    (lambda: in_state(Status.UNKNOWN), {"mark_failed", "send_again"}),
    (lambda: in_state(Status.DELIVERED), set()),
    (paused, {"resume"}),
    (number, {"pause"}),
    (subscription, {"rotate", "send_test", "replay_failed"}),
    (lambda: subscription(active=False), {"rotate", "enable"}),
    (alert, {"acknowledge", "silence_hour", "silence_day"}),
    (lambda: ApiClient.objects.create(name="shop"), {"issue_key"}),
    (contact, {"block", "opt_out", "erase"}),
    (lambda: contact(blocked_at=timezone.now()), {"unblock", "opt_out", "erase"}),
    (lambda: contact(opted_out_at=timezone.now()), {"block", "opt_in", "erase"}),
    (hold, {"resume"}),
    (lambda: hold(resumed_at=timezone.now()), set()),
    (delivery, set()),
    (lambda: delivery(state="failed", finished_at=timezone.now()), {"replay"}),
    (lambda: delivery(state="delivered", finished_at=timezone.now()), {"replay"}),
    (lambda: delivery(False, state="failed", finished_at=timezone.now()), set()),
    (lambda: media(State.WAITING), {"download_again"}),
    (lambda: media(State.FAILED), {"download_again"}),
    (lambda: media(State.STORED), set()),
    (lambda: media(State.DELETED), set()),
]


@pytest.mark.parametrize(("make", "actions"), SHOWN)
def test_a_page_offers_what_its_objects_state_allows(make: Any, actions: set[str], admin_client: Client) -> None:
    obj = make()
    page = admin_client.get(f"{url(obj)}/change/").content.decode()
    known = {part.split("/")[0] for part in page.split(f"{url(obj)}/do/")[1:]}
    assert known == actions


def test_a_button_acts_and_leads_back(admin_client: Client) -> None:
    message = in_state(Status.PENDING)
    answer = press(admin_client, message, "cancel")
    assert (Message.objects.get().status, answer.redirect_chain) == ("cancelled", [(f"{url(message)}/change/", 302)])


@pytest.mark.parametrize(
    ("make", "action", "check"),
    [
        (paused, "resume", lambda: BusinessNumber.objects.get().paused_at is None),
        (subscription, "send_test", lambda: Delivery.objects.get().event == "subscription.test"),
        (alert, "acknowledge", lambda: Alert.objects.get().acknowledged_by == "admin"),
        (lambda: ApiClient.objects.create(name="shop"), "issue_key", lambda: ApiKey.objects.count() == 1),
    ],
)
def test_each_button_does_what_its_list_does(make: Any, action: str, check: Any, admin_client: Client) -> None:
    press(admin_client, make(), action)
    assert check()


@pytest.mark.parametrize("permissions", [[], ["view_message"]])
def test_a_button_needs_the_permission_of_its_action(permissions: list[str]) -> None:
    message = in_state(Status.PENDING)
    assert press(staff(*permissions), message, "cancel").status_code in {403, 404}
    assert Message.objects.get().status == "pending"


def test_who_may_only_look_is_offered_nothing() -> None:
    message = in_state(Status.PENDING)
    assert "/do/" not in staff("view_message").get(f"{url(message)}/change/").content.decode()


@pytest.mark.parametrize("action", ["delete_selected", "get_urls", "nothing"])
def test_nothing_but_an_action_is_a_button(action: str, admin_client: Client) -> None:
    assert press(admin_client, in_state(Status.PENDING), action).status_code == 403


def test_a_get_does_nothing(admin_client: Client) -> None:
    message = in_state(Status.PENDING)
    assert admin_client.get(f"{url(message)}/do/cancel/").status_code == 405


def test_a_messages_page_begins_with_its_state_reason_and_timeline(admin_client: Client) -> None:
    message = in_state(Status.FAILED)
    Message.objects.update(error_code=131026, error_title="Message undeliverable")
    page = admin_client.get(f"{url(message)}/change/").content.decode()
    head = page.partition("message-head")[2].partition("</section>")[0]
    assert "mark-failed" in head and "Message undeliverable (131026)" in head and "class='trail'" in head
    assert str(message.pk) in head and "Copy id" in head
