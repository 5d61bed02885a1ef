"""Subscriptions in the admin."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import AuditEntry, Delivery, Subscription
from messaging.states import Status
from tests.messaging.factories import in_state
from tests.messaging.messages.test_admin import act, operator
from tests.messaging.outgoing.test_admin_actions import viewer
from tests.messaging.subscriptions.factories import BROKEN, URL, subscription, tell, waiting

pytestmark = pytest.mark.django_db
__all__ = ["operator"]
PAGE = "/admin/messaging/subscription/"
FORM = {"url": URL, "description": "", "events": ["message.received"], "number": "", "client": "", "active": "on"}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


def test_a_new_subscription_shows_its_secret_once(operator: Client) -> None:
    page = operator.post(f"{PAGE}add/", FORM, follow=True).content.decode()
    one = Subscription.objects.get()
    assert (SECRET.findall(page.replace("&#x2B;", "+")), one.events) == ([one.secret], ["message.received"])
    assert not SECRET.search(operator.get(f"{PAGE}{one.pk}/change/").content.decode())


def test_a_secret_is_in_no_cookie(operator: Client) -> None:
    made = operator.post(f"{PAGE}add/", FORM)
    rotated = act(operator, "subscription", "rotate", Subscription.objects.get().pk)
    assert not SECRET.search(f"{made.cookies} {rotated.cookies} {operator.cookies}")


def test_a_private_url_is_refused_with_the_reason(operator: Client) -> None:
    page = operator.post(f"{PAGE}add/", {**FORM, "url": "http://10.0.0.1/"}).content.decode()
    assert "not on this machine" in page and not Subscription.objects.exists()


def test_activation_by_the_form_resets_the_failures(operator: Client) -> None:
    one = subscription()
    Subscription.objects.update(active=False, failures=9, disabled_at=timezone.now(), disabled_why="why")
    operator.post(f"{PAGE}{one.pk}/change/", {**FORM, "description": "new"})
    one.refresh_from_db()
    assert (one.active, one.failures, one.disabled_at, one.description) == (True, 0, None, "new")


def test_the_admin_actions_activate_rotate_and_test(operator: Client) -> None:
    one = subscription()
    Subscription.objects.update(active=False, disabled_at=timezone.now())
    old = one.secret
    for action in ("enable", "rotate", "send_test"):
        act(operator, "subscription", action, one.pk)
    one.refresh_from_db()
    assert (one.active, one.previous_secret, Delivery.objects.get().event) == (True, old, "subscription.test")
    assert list(AuditEntry.objects.order_by("id").values_list("who", "action"))[1:] == [
        ("operator", "switch on"),
        ("operator", "rotate"),
        ("operator", "test"),
    ]


def test_an_operator_replays_a_failed_delivery(operator: Client) -> None:
    one = subscription()
    rows = waiting(one, 3, state="failed", finished_at=timezone.now())
    act(operator, "delivery", "replay", rows[0].pk)
    assert Delivery.objects.filter(state="pending").count() == 1
    act(operator, "subscription", "replay_failed", one.pk)
    assert Delivery.objects.filter(state="pending").count() == 3


def test_a_replay_to_an_inactive_subscription_is_refused_with_the_reason(operator: Client) -> None:
    one = subscription(active=False)
    (row,) = waiting(one, state="failed", finished_at=timezone.now())
    assert "is inactive" in act(operator, "delivery", "replay", row.pk).content.decode()


def test_the_attempts_are_shown(operator: Client) -> None:
    (row,) = waiting(subscription())
    tell(BROKEN)
    page = operator.get(f"/admin/messaging/delivery/{row.pk}/change/").content.decode()
    assert re.search(r">\s*<div>[^<]+: 500 after 7 ms\. [^<]*</div>\s*<", page)


@pytest.mark.parametrize(
    ("sought", "found"),
    [("delivery", 1), ("subscription", 2), ("message", 1), ("other", 0), ("nonsense", 0)],
)
def test_deliveries_are_found_by_whole_ids(sought: str, found: int, operator: Client) -> None:
    one, message = subscription(), in_state(Status.SENT)
    (row,) = waiting(one, message=message)
    waiting(one)
    waiting(subscription())
    ids = {"delivery": row.pk, "subscription": one.pk, "message": message.pk, "other": uuid4(), "nonsense": "x' OR 1"}
    page = operator.get("/admin/messaging/delivery/", {"q": str(ids[sought])})
    assert page.context["cl"].result_count == found


@pytest.mark.parametrize("query", ["", "?state=failed", "?event=subscription.test", "?q=nonsense"])
def test_the_list_of_deliveries_answers(query: str, operator: Client) -> None:
    waiting(subscription(), 3)
    assert operator.get(f"/admin/messaging/delivery/{query}").status_code == 200


def test_a_subscription_deleted_in_the_admin_is_hidden_at_once(operator: Client) -> None:
    one = subscription()
    operator.post(f"{PAGE}{one.pk}/delete/", {"post": "yes"})
    operator.get(PAGE)  # the message of success
    assert str(one.pk) not in operator.get(PAGE).content.decode()
    assert Subscription.objects.get().deleted_at is not None


def test_several_subscriptions_are_deleted_at_once_each_under_the_accounts_name(operator: Client) -> None:
    rows = [subscription(), subscription()]
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    operator.post(PAGE, chosen)
    assert not Subscription.objects.filter(deleted_at=None).exists()
    assert list(AuditEntry.objects.filter(action="unsubscribe").values_list("who", flat=True)) == ["operator"] * 2


@pytest.mark.parametrize("action", ["enable", "rotate", "send_test", "replay_failed"])
def test_an_account_with_view_permission_only_cannot_act(action: str) -> None:
    one = subscription()
    act(viewer(), "subscription", action, one.pk)
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["subscribe"]


def test_an_account_with_view_permission_only_cannot_replay() -> None:
    (row,) = waiting(subscription(), state="failed", finished_at=timezone.now())
    act(viewer(), "delivery", "replay", row.pk)
    assert Delivery.objects.get().state == "failed"
