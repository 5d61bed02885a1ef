"""The pages of dead letters in the admin."""

import json
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from messaging.incoming.tasks import receive
from messaging.models import AuditEntry
from messaging.outgoing.redrive import exhausted_messages, mark_dead_lettered
from messaging.outgoing.tasks import revive
from monitoring.dead_letters import admin as pages
from monitoring.dead_letters.admin import RedriveJobAdmin
from monitoring.models import RedriveJob
from monitoring.queue_depth import SqsUnavailable
from tests.admin.staff import staff
from tests.messaging.outgoing.test_redrive import exhausted
from tests.monitoring.dead_letters.bodies import FOREIGN, PHONE, RAW, SECRET, finished, on, put, task_body
from waproject.queues import LANES

pytestmark = pytest.mark.django_db
LIST = "/admin/monitoring/redrivejob/"
FORMER_LIST = "/admin/monitoring/move/"
PAGE = f"{LIST}lane/incoming/"
MOVE_URL = f"{PAGE}move/"


@pytest.fixture
def ann() -> Client:
    """A staff account that may redrive."""
    return staff("redrive")


def text(client: Client, url: str = PAGE) -> str:
    return " ".join(client.get(url).content.decode().split())


def test_each_lane_is_listed_with_its_number_of_dead_letters(sqs: Any, ann: Client) -> None:
    put(sqs, RAW)
    assert "1 dead letter<" in text(ann, LIST)


def test_the_page_says_that_it_raises_the_receive_counts(sqs: Any, ann: Client) -> None:
    put(sqs, RAW)
    assert "each load raises their receive counts" in text(ann)


def test_bodies_are_escaped(sqs: Any) -> None:
    put(sqs, "<script>alert(1)</script>", '{"<script>": "<img>"}', task_body(task="<b>"))
    client = staff("redrive", "read_dead_letters")
    assert not any(raw in text(client, f"{PAGE}?full") for raw in ("<script>a", "<img>", "<b>"))


@pytest.mark.parametrize("odd", ["\ud800", "\0", "\x1b", "\u2028", "\uffff"])
@pytest.mark.parametrize("where", ["id", "argument", "key", "foreign"])
def test_no_character_in_a_dead_letter_breaks_its_page_or_its_actions(sqs: Any, odd: str, where: str) -> None:
    (found,) = put(sqs, {
        "id": task_body(id=f"a{odd}b"),
        "argument": task_body(receive, {"text": odd}),
        "key": task_body(receive, {f"a{odd}": 1}),
        "foreign": json.dumps({"Type": odd}),
    }[where])  # fmt: skip
    client = staff("redrive", "read_dead_letters")
    assert [client.get(f"{PAGE}{query}").status_code for query in ("", "?full")] == [200, 200]
    assert client.post(MOVE_URL, {"action": "discard", "message_id": [found], "confirmed": "yes"}).status_code == 302
    finished(RedriveJob.objects.get())
    assert AuditEntry.objects.filter(object__contains="incoming").exists()


def test_texts_are_redacted(sqs: Any, ann: Client) -> None:
    put(sqs, RAW, FOREIGN, task_body())
    assert not any(secret in text(ann, url) for secret in (SECRET, PHONE[1:]) for url in (PAGE, f"{PAGE}?full"))


def test_reading_in_full_needs_the_permission_and_is_audited(sqs: Any) -> None:
    put(sqs, FOREIGN)
    assert SECRET in text(staff("redrive", "read_dead_letters"), f"{PAGE}?full")
    assert AuditEntry.objects.get().action == "read dead letters in full"


def test_selected_dead_letters_are_redriven(sqs: Any, ann: Client) -> None:
    ids = put(sqs, RAW, FOREIGN)
    ann.post(MOVE_URL, {"action": "redrive", "message_id": ids[:1]})
    finished(RedriveJob.objects.get())
    assert [message["Body"] for message in on(sqs, LANES["incoming"].url)] == [RAW]


@pytest.mark.parametrize("made_up", ["a\0b", "", "x" * 101])
def test_what_is_no_id_of_sqs_is_a_400(ann: Client, made_up: str) -> None:
    assert ann.post(MOVE_URL, {"action": "redrive", "message_id": [made_up]}).status_code == 400
    assert not RedriveJob.objects.exists()


def test_a_discard_asks_for_confirmation(ann: Client) -> None:
    answer = ann.post(MOVE_URL, {"action": "discard", "message_id": ["a", "b"]})
    assert "Discard 2 dead letters of incoming?" in answer.content.decode()
    assert not RedriveJob.objects.exists()
    ann.post(MOVE_URL, {"action": "discard", "message_id": ["a", "b"], "confirmed": "yes"})
    assert RedriveJob.objects.get().message_ids == ["a", "b"]


def test_during_a_job_the_page_shows_progress_and_receives_nothing(sqs: Any, ann: Client) -> None:
    put(sqs, RAW)
    ann.post(MOVE_URL, {"action": "redrive-all"})
    RedriveJob.objects.update(done=3, total=7)
    assert "Redriving: 3 of 7" in text(ann)
    (message,) = on(sqs, LANES["incoming"].dlq_url)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_message_without_attempts_left_is_linked_with_its_error(sqs: Any, ann: Client) -> None:
    message = exhausted()
    (exhausted_message,) = exhausted_messages()
    mark_dead_lettered([exhausted_message])
    put(sqs, task_body(revive, str(message.pk), exhausted_message.generation), lane="outgoing")
    shown = text(ann, f"{LIST}lane/outgoing/")
    assert f"/admin/messaging/message/{message.pk}/change/" in shown
    assert "2: busy." in shown
    assert "a redrive sends it again" in shown


def test_a_message_that_was_sent_again_since_says_so(sqs: Any, ann: Client) -> None:
    message = exhausted()
    put(sqs, task_body(revive, str(message.pk), message.generation + 1), lane="outgoing")
    assert "a redrive has no effect" in text(ann, f"{LIST}lane/outgoing/")


def test_the_pages_report_that_sqs_does_not_answer(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    def away(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr("waproject.sqs.control.depth", away)
    assert "SQS does not answer" in text(ann)
    assert "SQS does not answer" in text(ann, LIST)


def test_the_dashboard_links_to_the_dead_letters(sqs: Any) -> None:
    assert PAGE in text(staff("redrive"), "/monitoring/dashboard")


def test_a_link_of_a_former_notice_leads_to_the_page_with_its_query(ann: Client) -> None:
    answer = ann.get(f"{FORMER_LIST}lane/incoming/?full=1")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{PAGE}?full=1")


def notes(answer: Any) -> list[tuple[str, str]]:
    """The messages at the top of a page, with their levels."""
    return [(note.level_tag, note.message) for note in answer.context["messages"]]


@pytest.mark.parametrize(("total", "text"), [(None, "3 of ?"), (7, "3 of 7"), (0, "3 of 0")])
def test_a_job_shows_how_many_of_how_many_were_moved(total: int | None, text: str) -> None:
    assert RedriveJobAdmin(RedriveJob, admin.site).progress(RedriveJob(done=3, total=total)) == text


def test_the_list_has_a_count_for_each_lane(sqs: Any, ann: Client) -> None:
    put(sqs, RAW, RAW)
    page = ann.get(LIST).context
    assert (page["title"], page["lanes"]) == ("Dead letters", [("incoming", 2), ("outgoing", 0), ("analytics", 0)])


def test_the_list_has_no_counts_while_sqs_is_away(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts: list[float] = []

    def away(timeout: float) -> None:
        timeouts.append(timeout)
        raise SqsUnavailable("AccessDenied")

    monkeypatch.setattr(pages, "lane_depths", away)
    monkeypatch.setattr(pages, "inspect_queue", lambda *_: away(0))
    assert ann.get(LIST).context["lanes"] == [("incoming", None), ("outgoing", None), ("analytics", None)]
    page = ann.get(PAGE).context
    assert (page["sqs_error"], "inspection" in page, timeouts) == ("AccessDenied", False, [1.0, 0])


def test_the_page_of_a_lane_has_its_last_job_and_the_rights_of_the_account(sqs: Any, ann: Client) -> None:
    put(sqs, RAW)
    last = RedriveJob.objects.create(lane="incoming", action="redrive", finished_at=timezone.now(), requested_by="x")
    page = ann.get(f"{PAGE}?full").context
    names = ("job", "last", "may_read", "in_full", "hide_s", "most", "title", "lane", "lanes")
    assert {name: page[name] for name in names} == {
        "job": None, "last": last, "may_read": False, "in_full": False, "hide_s": 10, "most": 200,
        "title": "Dead letters of incoming", "lane": "incoming", "lanes": ["incoming", "outgoing", "analytics"],
    }  # fmt: skip
    assert (page["opts"].model_name, page["inspection"].total, page["site_header"]) == (
        "redrivejob", 1, "WhatsApp pipeline",
    )  # fmt: skip
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("count", "query", "entries"), [(1, "?full", 1), (1, "", 0), (0, "?full", 0)])
def test_only_a_page_that_shows_dead_letters_in_full_is_audited(sqs: Any, count: int, query: str, entries: int) -> None:
    put(sqs, *[RAW] * count)
    page = staff("redrive", "read_dead_letters").get(f"{PAGE}{query}").context
    assert (page["may_read"], page["in_full"]) == (True, bool(query))
    found = list(AuditEntry.objects.values_list("who", "action", "object"))
    assert found == [("ann", "read dead letters in full", "dead letters incoming")] * entries


def test_a_polling_page_gets_the_progress_of_its_lane(ann: Client) -> None:
    ann.post(MOVE_URL, {"action": "redrive-all"})
    answer = ann.get(f"{PAGE}progress/")
    assert (answer.context["job"], answer.context["lane"]) == (RedriveJob.objects.get(), "incoming")
    assert ann.get(f"{LIST}lane/outgoing/progress/").headers["HX-Refresh"] == "true"
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("form", "ids"),
    [
        ({"action": "redrive-all", "message_id": ["a"]}, None),
        ({"action": "redrive", "message_id": ["a"]}, ["a"]),
        ({"action": "redrive-some", "message_id": ["a"]}, ["a"]),
        ({"action": "redrive", "message_id": [f"{n:03}" for n in range(201)]}, [f"{n:03}" for n in range(200)]),
    ],
    ids=["all", "selected", "another scope", "too many"],
)
def test_a_form_asks_for_all_or_for_what_it_selects(form: dict[str, Any], ids: list[str] | None, ann: Client) -> None:
    answer = ann.post(MOVE_URL, form)
    job = RedriveJob.objects.get()
    assert (job.action, job.lane, job.message_ids, job.requested_by) == ("redrive", "incoming", ids, "ann")
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)


@pytest.mark.parametrize(
    ("form", "note"),
    [
        ({"action": "redrive"}, ("warning", "Select dead letters first.")),
        ({"action": "redrive-all"}, ("warning", "This lane has an active job already.")),
    ],
)
def test_a_form_that_creates_no_job_says_why(form: dict[str, Any], note: tuple[str, str], ann: Client) -> None:
    RedriveJob.objects.create(lane="incoming", action="redrive", requested_by="x")
    assert notes(ann.post(MOVE_URL, form, follow=True)) == [note]
    assert RedriveJob.objects.count() == 1


def test_a_job_is_stopped_once_and_after_its_current_step(ann: Client) -> None:
    for lane in ("incoming", "outgoing"):
        RedriveJob.objects.create(lane=lane, action="redrive", requested_by="x")
    answer = ann.post(f"{PAGE}stop/", follow=True)
    assert notes(answer) == [("success", "The job stops after its current step.")]
    stopped = RedriveJob.objects.filter(stop_requested_at__isnull=False)
    assert list(stopped.values_list("lane", flat=True)) == ["incoming"]
    assert notes(ann.post(f"{PAGE}stop/", follow=True)) == []
    assert answer.redirect_chain == [(PAGE, 302)]
    assert AuditEntry.objects.get().who == "ann"


def test_the_confirmation_of_all_names_no_ids(ann: Client) -> None:
    answer = ann.post(MOVE_URL, {"action": "discard-all"})
    assert (answer.context["ids"], answer.context["lane"]) == (None, "incoming")
    assert not RedriveJob.objects.exists()


@pytest.mark.parametrize("action", ["", "delete", "all"])
def test_an_unknown_action_is_a_404(action: str, ann: Client) -> None:
    assert ann.post(MOVE_URL, {"action": action, "message_id": ["a"]}).status_code == 404


@pytest.mark.parametrize(("method", "page"), [("get", ""), ("get", "progress/"), ("post", "move/"), ("post", "stop/")])
def test_each_page_needs_the_permission_and_a_lane(method: str, page: str, ann: Client) -> None:
    assert getattr(ann, method)(f"{LIST}lane/priority/{page}", {"action": "redrive-all"}).status_code == 404
    bob = Client()
    bob.force_login(User.objects.create(username="bob", is_staff=True))
    assert getattr(bob, method)(f"{PAGE}{page}", {"action": "redrive-all"}).status_code == 403
    assert not RedriveJob.objects.exists()
