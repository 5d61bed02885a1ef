"""The receiver of the README, as it stands there."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.deliver import post
from messaging.incoming.store import receive
from messaging.subscriptions.deliveries import claim_runs, record_runs
from testkit.ports import free_port
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.subscriptions.factories import subscription
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
RECEIVER = re.search(r"^```python\n(import os\n.*?)^```", Path("README.md").read_text(), re.MULTILINE | re.DOTALL)
assert RECEIVER


class Running:
    """The receiver with some secret, on a port of its own."""

    def __init__(self, directory: Path) -> None:
        self.port, self.output = free_port(), directory / "output"
        self._script = directory / "receiver.py"
        self._script.write_text(RECEIVER[1].replace("9000", str(self.port)) if RECEIVER else "")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, secret: str) -> None:
        """Start it."""
        with self.output.open("wb") as output:
            command = [sys.executable, str(self._script)]
            self.process = subprocess.Popen(command, env={**os.environ, "SECRET": secret}, stdout=output, stderr=output)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    if running.process is not None:
        running.process.kill()
        running.process.wait()


def delivered(receiver: Running) -> bool:
    """Whether all was taken, tried until the receiver listens."""
    outcomes: list[bool] = []

    def taken() -> bool:
        rans = [post(run) for run in claim_runs(9)]
        outcomes.extend(tried.answer.status == 204 for ran in rans for tried in ran.attempts)
        record_runs(rans)
        return bool(outcomes)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", receiver.port)) == 0

    assert eventually(listens)
    assert eventually(taken)
    return outcomes[-1]


def test_the_example_receiver_prints_a_users_message(receiver: Running) -> None:
    receiver.start(subscription(f"http://127.0.0.1:{receiver.port}/").secret)
    receive(webhook(inbound_text(text="Is anybody there?")))
    assert delivered(receiver)
    assert eventually(lambda: "message.received Is anybody there?" in receiver.output.read_text())


def test_the_example_receiver_refuses_other_signatures(receiver: Running) -> None:
    subscription(f"http://127.0.0.1:{receiver.port}/")
    receiver.start("whsec_" + "A" * 44)
    receive(webhook(inbound_text(text="Is anybody there?")))
    assert not delivered(receiver)


def test_the_example_receiver_has_ten_lines() -> None:
    assert RECEIVER and len([line for line in RECEIVER[1].splitlines() if line]) == 10
