"""The pages of dead letters in a browser: accessible, in both themes and on a phone; a redrive of five messages."""

from typing import Any

import pytest

from messaging.outgoing.tasks import revive
from monitoring.dead_letters.redrive_jobs import RedriveRunner
from monitoring.models import RedriveJob, TaskFailure
from tests.messaging.outgoing.test_redrive import exhausted
from tests.monitoring.dead_letters.bodies import FOREIGN, PICKLED_TASK, RAW, on, put, task_body
from tests.pages import THEMES, OpenPage, check_looks, needs_chromium
from waproject.queues import LANES

pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True)]
LIST = "/admin/monitoring/redrivejob/"
PAGE = LIST + "lane/{}/"


@pytest.fixture
def dead_letters(sqs: Any) -> None:
    """One message of each kind on two lanes."""
    message = exhausted()
    put(sqs, task_body(revive, str(message.pk), 0), "x " * 300, lane="outgoing")
    put(sqs, task_body(id="t-1"), task_body(id="t-2"), RAW, FOREIGN, PICKLED_TASK)
    TaskFailure.objects.create(
        task_id="t-1", task="messaging.receive", error="IntegrityError", times=10,
        message="null value in column … violates not-null constraint",
        place="messaging/incoming/store.py:71 in store",
    )  # fmt: skip


def expand_details(page: Any) -> None:
    for summary in page.locator("summary").all():
        summary.click()


@pytest.mark.parametrize("theme", THEMES)
def test_the_pages_fit_the_screen_and_are_accessible(open_page: OpenPage, dead_letters: None, theme: str) -> None:
    page = open_page(LIST, color_scheme=theme)
    check_looks(page, theme, "dead-letters-list")
    for lane in ("outgoing", "incoming"):
        page.goto(PAGE.format(lane))
        expand_details(page)
        check_looks(page, theme, f"dead-letters-{lane}")
    with page.expect_navigation():
        page.click("text=Discard all… >> nth=0")
    check_looks(page, theme, "dead-letters-discard")
    RedriveJob.objects.create(
        lane="incoming", action="redrive", total=120, done=50, state="running", requested_by="ann"
    )
    page.goto(PAGE.format("incoming"))
    check_looks(page, theme, "dead-letters-move")


def test_the_page_follows_a_redrive_of_five_messages(
    open_page: OpenPage, dead_letters: None, sqs: Any, settings: Any
) -> None:
    settings.DLQ_MOVES_PER_SECOND = 5
    runner = RedriveRunner()
    page = open_page(PAGE.format("incoming"))
    assert "IntegrityError: null value in column … violates not-null constraint" in page.inner_text(".dlq-messages")
    page.click("text=Redrive all >> nth=0")
    page.wait_for_selector("#dlq-job:has-text('Redriving')")
    runner.start()
    page.wait_for_selector("text=5 of 5 redriven for ann")
    page.wait_for_selector(".dlq:has-text('No dead letters')")
    runner.stop()
    assert len(on(sqs, LANES["incoming"].url)) == 5
