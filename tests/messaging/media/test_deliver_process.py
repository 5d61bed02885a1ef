"""The real process, with real files, and killed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.models import Media
from tests.messaging.media.conftest import data
from tests.messaging.sandbox.process import TOKEN, Sandbox
from tests.messaging.subscriptions.test_deliver_process import Deliver
from tests.waiting import eventually

pytestmark = [pytest.mark.slow("starts processes of the pipeline"), pytest.mark.django_db(transaction=True)]
Start = Callable[[], Deliver]


@pytest.fixture
def start(meta: Sandbox, tmp_path: Path) -> Iterator[Start]:
    """Starts a process, as often as it is called."""
    running: list[Deliver] = []

    def go() -> Deliver:
        graph = {"WA_GRAPH_URL": f"http://127.0.0.1:{meta.port}", "WA_ACCESS_TOKEN": TOKEN, "VAR_DIR": str(tmp_path)}
        running.append(Deliver(tmp_path / f"{len(running)}.log", **graph).wait_ready())
        return running[-1]

    yield go
    for process in running:
        if process.is_alive():
            process.kill()  # a stop waits for the slow files


def stored() -> int:
    return Media.objects.filter(state="stored").count()


def test_files_are_downloaded_and_slow_ones_delay_no_other(
    webhooks: Callable[..., Any], start: Start, tmp_path: Path
) -> None:
    for _ in range(3):
        receive(webhooks(media={"fault": "slow", "seconds": 60}))
    receive(webhooks(media={"data": data(b"secret photo"), "mime_type": "image/jpeg"}))
    process = start()
    assert eventually(lambda: stored() == 1), process.log
    assert (tmp_path / "media" / Media.objects.get(state="stored").name).read_bytes() == b"secret photo"
    assert "15551230001" not in process.log and "lookaside" not in process.log and TOKEN not in process.log


def test_a_kill_during_a_transfer_loses_nothing(webhooks: Callable[..., Any], start: Start) -> None:
    receive(webhooks(media={"fault": "slow", "seconds": 3}))
    first = start()
    assert eventually(lambda: Media.objects.filter(lease_until__gt=timezone.now()).exists()), first.log
    first.kill()
    left = Media.objects.get()
    # In two minutes it would be due again.
    assert 60 < (left.lease_until - timezone.now()).total_seconds() < 200  # type: ignore[operator]
    Media.objects.update(lease_until=timezone.now(), due_at=timezone.now())
    second = start()
    assert eventually(lambda: stored() == 1), second.log
