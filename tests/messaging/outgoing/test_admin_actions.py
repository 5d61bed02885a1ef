"""Admin actions of operators, the permission that each needs, and their audit entries."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from messaging.messages.waiting_reasons import waiting_reason
from messaging.models import AuditEntry, BusinessNumber, Hold, Message
from messaging.states import Status
from tests.admin.staff import staff
from tests.messaging.factories import in_state, number, pending, states_of
from tests.messaging.messages.test_admin import MESSAGES, act, operator

pytestmark = pytest.mark.django_db
__all__ = ["operator"]
HOLDS = "/admin/messaging/hold/"


def viewer() -> Client:
    """A staff account with view permissions only."""
    account = User.objects.create(username="viewer", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(account)
    return client


def audit() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("who", "action"))


def test_waiting_messages_are_cancelled_and_the_others_explained(operator: Client) -> None:
    (waiting,), sent = pending(1, peer="15550009999"), in_state(Status.SENT)
    page = act(operator, "message", "cancel", waiting.pk, sent.pk).content.decode()
    assert states_of(waiting.id, sent.id) == ["cancelled", "sent"]
    assert ("1 cancelled." in page, "1 skipped" in page) == (True, True)


def test_sending_a_failed_message_again_is_audited(operator: Client) -> None:
    failed = in_state(Status.FAILED)
    act(operator, "message", "send_again", failed.pk)
    assert (states_of(failed.id), audit()) == (["pending"], [("operator", "send again")])


@pytest.mark.parametrize(("action", "after"), [("mark_failed", "failed"), ("send_again", "pending")])
def test_an_operator_decides_about_a_lost_answer(action: str, after: str, operator: Client) -> None:
    lost = in_state(Status.UNKNOWN, unknown_at=timezone.now(), hold="unknown")
    act(operator, "message", action, lost.pk)
    lost.refresh_from_db()
    assert (lost.status, lost.hold, audit()) == (after, None, [("operator", action.replace("_", " "))])


@pytest.mark.parametrize("state", [Status.PENDING, Status.SENDING, Status.SENT, Status.READ])
@pytest.mark.parametrize("action", ["mark_failed", "send_again"])
def test_messages_in_other_states_are_left_alone(action: str, state: Status, operator: Client) -> None:
    message = in_state(state)
    act(operator, "message", action, message.pk)
    assert (states_of(message.id), audit()) == ([state], [])


def test_a_messages_page_shows_the_operators_decision(operator: Client) -> None:
    failed = in_state(Status.FAILED)
    act(operator, "message", "send_again", failed.pk)
    assert "send again by operator" in operator.get(f"{MESSAGES}{failed.id}/change/").content.decode()


ACTIONS = [("cancel", Status.PENDING), ("mark_failed", Status.UNKNOWN), ("send_again", Status.FAILED)]


@pytest.mark.parametrize(("action", "state"), ACTIONS)
def test_an_account_with_view_permission_cannot_act_on_messages(action: str, state: Status) -> None:
    message = in_state(state)
    act(viewer(), "message", action, message.pk)
    assert (states_of(message.id), audit()) == ([state], [])


def test_pausing_and_resuming_a_number_is_audited(operator: Client) -> None:
    pk = number().pk
    act(operator, "businessnumber", "pause", pk)
    paused_by = BusinessNumber.objects.get().paused_by
    act(operator, "businessnumber", "resume", pk)
    assert (paused_by, audit()) == ("operator", [("operator", "pause"), ("operator", "resume")])


def test_a_campaign_is_held_and_resumed(operator: Client) -> None:
    answer = operator.post(f"{HOLDS}add/", {"kind": "campaign", "key": "spring", "until_0": "", "until_1": ""})
    hold = Hold.objects.get()
    act(operator, "hold", "resume", hold.pk)
    hold.refresh_from_db()
    assert (answer.status_code, hold.by, hold.resumed_at is not None) == (302, "operator", True)
    assert audit() == [("operator", "hold"), ("operator", "resume")]


def test_a_second_hold_of_the_same_campaign_is_refused_in_words(operator: Client) -> None:
    Hold.objects.create(kind="campaign", key="spring", by="another operator")
    answer = operator.post(f"{HOLDS}add/", {"kind": "campaign", "key": "spring"})
    assert (answer.status_code, b"held already" in answer.content, Hold.objects.count()) == (200, True, 1)


def test_a_hold_is_not_edited_or_deleted(operator: Client) -> None:
    hold = Hold.objects.create(kind="template", key="hello", by="system")
    changed = operator.post(f"{HOLDS}{hold.pk}/change/", {"key": "other"}).status_code
    assert (changed, operator.post(f"{HOLDS}{hold.pk}/delete/").status_code) == (403, 403)


def test_an_account_with_view_permission_cannot_resume_a_hold() -> None:
    hold = Hold.objects.create(kind="template", key="hello", by="system")
    act(viewer(), "hold", "resume", hold.pk)
    assert Hold.objects.get().resumed_at is None


@pytest.mark.parametrize("query", ["", "?q=operator", "?action=send+again", "?q=nobody"])
def test_the_audit_log_can_be_searched(query: str, operator: Client) -> None:
    act(operator, "message", "send_again", in_state(Status.FAILED).pk)
    page = operator.get(f"/admin/messaging/auditentry/{query}").content.decode()
    assert ("send again" in page.partition("result_list")[2]) is (query != "?q=nobody")


@pytest.mark.parametrize(
    "query", ["age=hour", "age=month", *(f"attention={key}" for key in ("unknown", "decide", "held", "duplicate"))]
)
def test_the_filters_of_the_message_list_answer(query: str, operator: Client) -> None:
    pending()
    assert operator.get(f"{MESSAGES}?{query}").status_code == 200


@pytest.mark.parametrize("choice", ["duplicate", "doubled"])
def test_messages_that_were_sent_twice_are_listed_under_the_former_name_too(choice: str, operator: Client) -> None:
    (twice,) = pending(1, peer="15550001111")
    Message.objects.filter(pk=twice.pk).update(duplicate_found_at=timezone.now())
    pending(1, peer="15550002222")
    page = operator.get(f"{MESSAGES}?attention={choice}").content.decode()
    assert (twice.peer in page, "15550002222" in page) == (True, False)


def test_a_new_message_is_within_the_last_hour(operator: Client) -> None:
    (message,) = pending()
    page = operator.get(f"{MESSAGES}?age=hour").content.decode()
    assert message.peer in page


@pytest.mark.parametrize("field", ["reference", "campaign"])
def test_a_message_is_found_by_reference_and_campaign(field: str, operator: Client) -> None:
    pending(1, peer="15550001111", **{field: "order 7"})
    pending(1, peer="15550002222")
    page = operator.get(MESSAGES, {"q": "order 7"}).content.decode()
    assert ("15550001111" in page, "15550002222" in page) == (True, False)


LATER = timezone.now() + timedelta(days=2)
REASONS: list[tuple[dict[str, Any], str]] = [
    ({}, "its release"),
    ({"due_at": LATER}, f"{LATER:%Y-%m-%d}"),
    ({"hold": "pair"}, "recipient"),
    ({"hold": "campaign:3"}, "campaign to be resumed"),
    ({"hold": "template:3"}, "template to be resumed"),
    ({"hold": "unknown", "status": "unknown"}, "your decision"),
    ({"status": "unknown"}, "answer was lost"),
    ({"status": "sent"}, ""),
]


@pytest.mark.parametrize(("fields", "words"), REASONS)
def test_the_list_says_why_a_message_waits(fields: dict[str, Any], words: str) -> None:
    (message,) = pending()
    Message.objects.filter(pk=message.pk).update(**fields)
    reason = waiting_reason(Message.objects.select_related("number").get())
    assert (words in reason, bool(reason)) == (True, bool(words))


def test_the_list_says_that_a_number_is_paused() -> None:
    pending()
    BusinessNumber.objects.update(paused_at=timezone.now())
    assert "number to be resumed" in waiting_reason(Message.objects.select_related("number").get())


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("cancel", Status.PENDING, "cancelled"),
        ("mark_failed", Status.UNKNOWN, "failed"),
        ("send_again", Status.FAILED, "pending"),
        ("send_again", Status.UNKNOWN, "pending"),
    ],
)
def test_who_may_change_messages_may_act_on_them(action: str, before: Status, after: str) -> None:
    message = in_state(before)
    act(staff("view_message", "change_message"), "message", action, message.pk)
    assert states_of(message.id) == [after]


@pytest.mark.parametrize(("action", "before"), [("mark_failed", Status.UNKNOWN), ("send_again", Status.FAILED)])
def test_the_audit_log_keeps_who_acted_on_which_message_and_its_state_before(action: str, before: Status) -> None:
    message = in_state(before)
    act(staff("view_message", "change_message"), "message", action, message.pk)
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.object) == ("ann", action.replace("_", " "), f"message {message.pk}")
    assert entry.details == {"before": before}
