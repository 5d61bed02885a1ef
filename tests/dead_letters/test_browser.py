"""The page of dead letters in a browser: for everybody, in both themes, on a phone; five bad messages through it."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from messaging.tasks import revive
from monitoring.models import Move, TaskFailure
from monitoring.moves import Mover
from tests.dead_letters.letters import FOREIGN, PICKLED_TASK, RAW, on, put, task_body
from tests.messaging.test_revival import used_up
from tests.monitoring.test_dashboard_browser import CHROMIUM, LOOKS, browser
from waproject.queues import LANES

__all__ = ["browser"]
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}; Debian's package chromium brings it"),
    pytest.mark.django_db(transaction=True),
]
PAGE = "/admin/monitoring/move/lane/{}/"


@pytest.fixture
def letters(sqs: Any) -> None:
    """One of each kind on two lanes."""
    message = used_up()
    put(sqs, task_body(revive, str(message.pk), 0), "x " * 300, lane="outgoing")
    put(sqs, task_body(id="t-1"), task_body(id="t-2"), RAW, FOREIGN, PICKLED_TASK)
    TaskFailure.objects.create(
        task_id="t-1", task="messaging.receive", error="IntegrityError", times=10,
        words="null value in column … violates not-null constraint",
        place="messaging/services/receiving.py:71 in store",
    )  # fmt: skip


def open_page(browser: Any, live_server: Any, path: str, **options: Any) -> Any:
    client = Client()
    client.force_login(User.objects.get_or_create(username="ann", defaults={"is_staff": True, "is_superuser": True})[0])
    context = browser.new_context(**options)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(f"{live_server.url}{path}")
    return page


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look['color_scheme']}-{look['viewport']['width']}")
def test_it_fits_and_can_be_read_by_everybody(
    browser: Any, live_server: Any, letters: None, tmp_path: Path, look: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    name = f"{look['color_scheme']}-{look['viewport']['width']}"
    faults = []
    page = open_page(browser, live_server, PAGE.format("incoming"), **look)
    for view in ("incoming", "outgoing", "list", "discard", "move"):
        if view in LANES:
            page.goto(f"{live_server.url}{PAGE.format(view)}")
            for summary in page.locator("summary").all():
                summary.click()
        elif view == "list":
            page.goto(f"{live_server.url}/admin/monitoring/move/")
        elif view == "discard":
            page.goto(f"{live_server.url}{PAGE.format('incoming')}")
            page.click("text=Discard all…")
        else:
            Move.objects.create(lane="incoming", action="redrive", total=120, done=50, state="running", asked_by="ann")
            page.goto(f"{live_server.url}{PAGE.format('incoming')}")
        page.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"dlq-{view}-{name}.png", full_page=True)
        within = "#content" if page.locator("#content").count() else "main"
        faults += [
            (view, fault["id"], fault["nodes"][0]["html"])
            for fault in Axe().run(page, context=within).response["violations"]
            if fault["impact"] in {"serious", "critical"}
        ]
        if view != "list":  # a table of the admin's own, which scrolls
            assert page.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"]
    assert (faults, page.errors) == ([], [])
    page.context.close()


def test_five_bad_messages_are_read_and_redriven_while_one_watches(
    browser: Any, live_server: Any, letters: None, sqs: Any, settings: Any
) -> None:
    settings.DLQ_MOVES_PER_SECOND = 5
    mover = Mover()
    page = open_page(browser, live_server, PAGE.format("incoming"))
    assert "IntegrityError: null value in column … violates not-null constraint" in page.inner_text(".dlq-letters")
    page.click("text=Redrive all")
    assert "Redriving" in page.inner_text("#dlq-move")
    mover.start()
    page.wait_for_selector("text=5 of 5 redriven for ann", timeout=20_000)
    assert "No dead letters" in page.inner_text(".dlq")
    mover.stop()
    assert len(on(sqs, LANES["incoming"].url)) == 5
    page.context.close()
