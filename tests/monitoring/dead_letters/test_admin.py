"""The pages of dead letters in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from messaging.models import AuditEntry
from messaging.outgoing.redrive import exhausted_messages, mark_dead_lettered
from messaging.outgoing.tasks import revive
from monitoring.models import Move
from tests.messaging.outgoing.test_redrive import exhausted
from tests.monitoring.dead_letters.letters import FOREIGN, PHONE, RAW, SECRET, finished, on, put, task_body
from waproject.queues import LANES

pytestmark = pytest.mark.django_db
LIST = "/admin/monitoring/move/"
PAGE = f"{LIST}lane/incoming/"
DO = f"{PAGE}move/"


def staff(*permissions: str) -> Client:
    ann = User.objects.create(username="ann", is_staff=True)
    ann.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(ann)
    return client


@pytest.fixture
def ann() -> Client:
    """Staff that may redrive."""
    return staff("redrive")


def text(client: Client, url: str = PAGE) -> str:
    return " ".join(client.get(url).content.decode().split())


def test_each_lane_is_listed_with_its_letters(sqs: Any, ann: Client) -> None:
    put(sqs, RAW)
    assert "1 dead letter<" in text(ann, LIST)


def test_the_page_says_that_looking_counts(sqs: Any, ann: Client) -> None:
    put(sqs, RAW)
    assert "each load of this page raises the receive counts" in text(ann)


def test_bodies_are_escaped(sqs: Any) -> None:
    put(sqs, "<script>alert(1)</script>", '{"<script>": "<img>"}', task_body(task="<b>"))
    client = staff("redrive", "read_dead_letters")
    assert not any(raw in text(client, f"{PAGE}?full") for raw in ("<script>a", "<img>", "<b>"))


def test_texts_are_veiled(sqs: Any, ann: Client) -> None:
    put(sqs, RAW, FOREIGN, task_body())
    assert not any(secret in text(ann, url) for secret in (SECRET, PHONE[1:]) for url in (PAGE, f"{PAGE}?full"))


def test_who_may_reads_them_in_full_and_that_is_noted(sqs: Any) -> None:
    put(sqs, FOREIGN)
    assert SECRET in text(staff("redrive", "read_dead_letters"), f"{PAGE}?full")
    assert AuditEntry.objects.get().action == "read dead letters in full"


def test_selected_letters_are_redriven(sqs: Any, ann: Client) -> None:
    ids = put(sqs, RAW, FOREIGN)
    ann.post(DO, {"do": "redrive", "letter": ids[:1]})
    finished(Move.objects.get())
    assert [message["Body"] for message in on(sqs, LANES["incoming"].url)] == [RAW]


def test_without_a_selection_nothing_is_asked_for(ann: Client) -> None:
    ann.post(DO, {"do": "redrive"})
    assert not Move.objects.exists()


def test_discarding_asks_first(ann: Client) -> None:
    answer = ann.post(DO, {"do": "discard", "letter": ["a", "b"]})
    assert "Discard 2 dead letters of incoming?" in answer.content.decode()
    assert not Move.objects.exists()
    ann.post(DO, {"do": "discard", "letter": ["a", "b"], "sure": "yes"})
    assert Move.objects.get().message_ids == ["a", "b"]


def test_while_letters_are_moved_the_page_shows_how_far_and_does_not_look(sqs: Any, ann: Client) -> None:
    put(sqs, RAW)
    ann.post(DO, {"do": "redrive-all"})
    Move.objects.update(done=3, total=7)
    assert "Redriving: 3 of 7" in text(ann)
    (message,) = on(sqs, LANES["incoming"].dlq_url)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_second_move_is_refused_in_words(ann: Client) -> None:
    ann.post(DO, {"do": "redrive-all"})
    answer = ann.post(DO, {"do": "redrive-all"}, follow=True)
    assert "are being moved already" in answer.content.decode()


def test_a_page_that_polls_is_loaded_anew_at_the_end(ann: Client) -> None:
    assert ann.get(f"{PAGE}progress/").headers["HX-Refresh"] == "true"


def test_a_move_is_stopped(ann: Client) -> None:
    ann.post(DO, {"do": "redrive-all"})
    ann.post(f"{PAGE}stop/")
    assert Move.objects.get().stop_asked_at


def test_an_exhausted_message_is_linked_with_its_error(sqs: Any, ann: Client) -> None:
    message = exhausted()
    (letter,) = exhausted_messages()
    mark_dead_lettered([letter])
    put(sqs, task_body(revive, str(message.pk), letter.generation), lane="outgoing")
    shown = text(ann, f"{LIST}lane/outgoing/")
    assert f"/admin/messaging/message/{message.pk}/change/" in shown
    assert "2: busy." in shown
    assert "redriven, it is sent again" in shown


def test_one_that_was_sent_again_meanwhile_says_so(sqs: Any, ann: Client) -> None:
    message = exhausted()
    put(sqs, task_body(revive, str(message.pk), message.generation + 1), lane="outgoing")
    assert "redriving this does nothing" in text(ann, f"{LIST}lane/outgoing/")


def test_with_sqs_away_the_pages_say_so(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    def away(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr("waproject.sqs.control.depth", away)
    assert "SQS does not answer" in text(ann)
    assert "SQS does not answer" in text(ann, LIST)


def test_the_dashboard_links_to_the_letters(sqs: Any) -> None:
    assert PAGE in text(staff("redrive"), "/monitoring/dashboard")
