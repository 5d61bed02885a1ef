"""The page of dead letters in a browser: for everybody, in both themes, on a phone; five bad messages through it."""

from pathlib import Path
from typing import Any

import pytest

from messaging.outgoing.tasks import revive
from monitoring.dead_letters.redrive_jobs import Mover
from monitoring.models import Move, TaskFailure
from tests.messaging.outgoing.test_redrive import exhausted
from tests.monitoring.dead_letters.letters import FOREIGN, PICKLED_TASK, RAW, on, put, task_body
from tests.pages import LOOKS, browser, name_of, needs_chromium, open_page, picture, serious_faults_in
from waproject.queues import LANES

__all__ = ["browser"]
pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True)]
LIST = "/admin/monitoring/move/"
PAGE = LIST + "lane/{}/"


@pytest.fixture
def letters(sqs: Any) -> None:
    """One of each kind on two lanes."""
    message = exhausted()
    put(sqs, task_body(revive, str(message.pk), 0), "x " * 300, lane="outgoing")
    put(sqs, task_body(id="t-1"), task_body(id="t-2"), RAW, FOREIGN, PICKLED_TASK)
    TaskFailure.objects.create(
        task_id="t-1", task="messaging.receive", error="IntegrityError", times=10,
        words="null value in column … violates not-null constraint",
        place="messaging/incoming/store.py:71 in store",
    )  # fmt: skip


def unfold(page: Any) -> None:
    for summary in page.locator("summary").all():
        summary.click()


@pytest.mark.parametrize("look", LOOKS, ids=name_of)
def test_it_fits_and_can_be_read_by_everybody(
    browser: Any, live_server: Any, letters: None, tmp_path: Path, look: Any
) -> None:
    page = open_page(browser, live_server, LIST, **look)
    found = {}

    def see(name: str) -> None:
        picture(page, tmp_path, f"dead-letters-{name}-{name_of(look)}")
        found[name] = (serious_faults_in(look, page), page.evaluate("document.documentElement.scrollWidth"))

    see("list")
    for lane in ("outgoing", "incoming"):
        page.goto(live_server.url + PAGE.format(lane))
        unfold(page)
        see(lane)
    page.click("text=Discard all… >> nth=0")
    see("discard")
    Move.objects.create(lane="incoming", action="redrive", total=120, done=50, state="running", asked_by="ann")
    page.goto(live_server.url + PAGE.format("incoming"))
    see("move")
    assert found == dict.fromkeys(found, ([], look["viewport"]["width"]))
    assert (page.errors, page.foreign) == ([], [])
    page.context.close()


def test_five_bad_messages_are_read_and_redriven_while_one_watches(
    browser: Any, live_server: Any, letters: None, sqs: Any, settings: Any
) -> None:
    settings.DLQ_MOVES_PER_SECOND = 5
    mover = Mover()
    page = open_page(browser, live_server, PAGE.format("incoming"))
    assert "IntegrityError: null value in column … violates not-null constraint" in page.inner_text(".dlq-letters")
    page.click("text=Redrive all >> nth=0")
    assert "Redriving" in page.inner_text("#dlq-move")
    mover.start()
    page.wait_for_selector("text=5 of 5 redriven for ann", timeout=20_000)
    assert "No dead letters" in page.inner_text(".dlq")
    mover.stop()
    assert len(on(sqs, LANES["incoming"].url)) == 5
    page.context.close()
