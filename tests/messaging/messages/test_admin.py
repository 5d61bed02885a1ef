"""The admin's pages of messages, and their actions."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.messages import pagination
from messaging.models import ApiClient, Attempt, BusinessNumber, Message, MessageEvent
from messaging.states import Status
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import in_state, number, pending
from waproject.web.admin import read_only_admin

pytestmark = pytest.mark.django_db
MESSAGES = "/admin/messaging/message/"


@pytest.fixture
def operator(db: None) -> Client:
    """A superuser who is logged in."""
    account = User.objects.create_superuser("operator")
    client = Client()
    client.force_login(account)
    return client


def act(client: Client, model: str, action: str, *pks: Any) -> Any:
    """Run an admin action on rows."""
    data = {"action": action, "_selected_action": [str(pk) for pk in pks]}
    return client.post(f"/admin/messaging/{model}/", data, follow=True)


@pytest.mark.parametrize("term", ["15551230001", "+1 555 123-0001", "wamid.FIND-ME", "our id"])
def test_a_message_is_found_by_number_wamid_id_reference_and_campaign(term: str, operator: Client) -> None:
    receive(webhook(inbound_text(wamid="wamid.FIND-ME", sender="15551230001", text="the one")))
    receive(webhook(inbound_text(wamid="wamid.OTHER", sender="15559999999", text="another")))
    query = str(Message.objects.get(text="the one").id) if term == "our id" else term
    page = operator.get(MESSAGES, {"q": query}).content.decode()
    assert ("the one" in page, "another" in page) == (True, False)


@pytest.mark.parametrize("query", ["direction=inbound", "status__exact=received", "priority__exact=5"])
def test_the_filters_of_the_list_work(query: str, operator: Client) -> None:
    receive(webhook(inbound_text(text="the one")))
    assert operator.get(f"{MESSAGES}?{query}", follow=True).status_code == 200


def test_a_filter_without_an_index_looks_at_the_newest_messages_and_says_so(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "SCANNED", 2)
    old, *_ = sorted(pending(3, peer="15551230001"), key=lambda row: row.id)
    Message.objects.filter(pk=old.pk).update(peer="15551230009")
    page = operator.get(f"{MESSAGES}?status__exact=pending").content.decode()
    assert ("15551230009" in page, "Only the newest 2 messages were searched" in page) == (False, True)


def test_a_list_that_saw_every_message_says_nothing(operator: Client) -> None:
    pending(3, peer="15551230001")
    assert "Only the newest" not in operator.get(f"{MESSAGES}?status__exact=pending").content.decode()


@pytest.mark.parametrize("query", ["", "q=15551230001", "q=15551230001&status__exact=pending"])
def test_a_list_that_an_index_answers_has_every_message_however_old(
    query: str, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "SCANNED", 2)
    pending(3, peer="15551230001")
    page = operator.get(f"{MESSAGES}?{query}")
    assert (page.context["cl"].result_count, "Only the newest" in page.content.decode()) == (3, False)


def test_the_export_has_every_match_however_old(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "SCANNED", 2)
    pending(3)
    answer = operator.get(f"{MESSAGES}export/?status__exact=pending")
    assert len(b"".join(answer.streaming_content).splitlines()) == 4  # type: ignore[attr-defined]  # and the header


def test_the_message_page_shows_the_timeline_and_the_attempts(operator: Client) -> None:
    message = in_state(Status.FAILED)
    Attempt.objects.create(message=message, n=1, outcome="Rejected", error_code=131026, error_title="undeliverable")
    page = operator.get(f"{MESSAGES}{message.id}/change/").content.decode()
    assert ("pending" in page, "131026" in page, "undeliverable" in page) == (True, True, True)


@pytest.mark.parametrize(
    ("status", "applied", "shown"),
    [
        ("sent", True, "sent"),
        ("sent", False, "(sent)"),
        ("received", False, "received"),
        ("received", True, "received"),
    ],
)
def test_the_timeline_shows_a_status_that_came_too_late_in_brackets(
    status: str, applied: bool, shown: str, operator: Client
) -> None:
    message = in_state(Status.DELIVERED)
    MessageEvent.objects.filter(message=message).delete()
    MessageEvent.objects.create(message=message, status=status, applied=applied, source="webhook", at=timezone.now())
    page = operator.get(f"{MESSAGES}{message.id}/change/").content.decode()
    assert f"<td>{shown}</td><td>webhook</td>" in page


@pytest.mark.parametrize("applied", [True, False])
def test_brackets_are_explained_where_there_are_some(applied: bool, operator: Client) -> None:
    message = in_state(Status.READ)
    MessageEvent.objects.create(message=message, status="sent", at=timezone.now(), source="webhook", applied=applied)
    page = operator.get(f"{MESSAGES}{message.id}/change/").content.decode()
    assert ("(sent)" in page, "In brackets" in page) == (not applied, not applied)


@pytest.mark.parametrize("page", ["add/", "{}/delete/"])
def test_history_cannot_be_added_to_or_deleted(page: str, operator: Client) -> None:
    message = in_state(Status.SENT)
    assert operator.get(MESSAGES + page.format(message.id)).status_code == 403


def test_history_cannot_be_edited(operator: Client) -> None:
    message = in_state(Status.SENT)
    assert operator.post(f"{MESSAGES}{message.id}/change/", {"status": "read"}).status_code == 403


def test_what_users_write_is_escaped(operator: Client) -> None:
    script = "<script>alert(1)</script>"
    receive(webhook(inbound_text(text=script), name=script))
    message = Message.objects.get()
    pages = [MESSAGES, f"{MESSAGES}{message.id}/change/", "/admin/messaging/contact/"]
    assert not any(script in operator.get(page).content.decode() for page in pages)


def test_a_number_is_paused_and_resumed(operator: Client) -> None:
    pk = number().pk
    act(operator, "businessnumber", "pause", pk)
    paused = BusinessNumber.objects.get().paused_at is not None
    act(operator, "businessnumber", "resume", pk)
    assert (paused, BusinessNumber.objects.get().paused_at) == (True, None)


@pytest.mark.parametrize(("model", "action"), [("businessnumber", "resume"), ("apiclient", "issue_key")])
def test_an_account_with_view_permission_only_gets_no_actions(model: str, action: str) -> None:
    account = User.objects.create(username="viewer", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    viewer = Client()
    viewer.force_login(account)
    pending()
    BusinessNumber.objects.update(paused_at=timezone.now())
    client = ApiClient.objects.create(name="shop")
    act(viewer, model, action, client.pk if model == "apiclient" else BusinessNumber.objects.get().pk)
    assert (BusinessNumber.objects.get().paused_at is not None, client.keys.count()) == (True, 0)


def test_a_list_is_counted_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_only_admin, "MAX_COUNTED", 3)
    pending(5)
    assert read_only_admin.BoundedPaginator(Message.objects.all(), 2).count == 3


def test_a_count_has_a_time_limit() -> None:
    pending()
    slow = Message.objects.extra(where=["pg_sleep(2)::text IS NOT NULL"])
    assert read_only_admin.BoundedPaginator(slow, 2).count == read_only_admin.MAX_COUNTED


def test_the_counts_time_limit_ends_with_the_count() -> None:
    before = _statement_timeout()
    _ = read_only_admin.BoundedPaginator(Message.objects.all(), 2).count
    assert _statement_timeout() == before


def _statement_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])
