"""One sandbox process for all of these tests, emptied before each, and the receiver of its webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.waiting import PATIENCE_S

from .graph_api.calls import APP, APP_TOKEN, call
from .process import OTHER_NUMBER, Sandbox, start_with_secrets, started_port
from .receiver import Receiver


@pytest.fixture(scope="session")
def only_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def only_sandbox(only_receiver: Receiver) -> Iterator[Sandbox]:
    quick = ("--answer-ms", "0-5", "--status-delays-ms", "10,30,50", "--other-numbers", OTHER_NUMBER)
    process = start_with_secrets("--port", "0", "--webhook-url", only_receiver.url, *quick)
    yield Sandbox(started_port(process))
    process.terminate()
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert stderr == "", "the sandbox logs one line at its start, then nothing"


@pytest.fixture
def receiver(only_receiver: Receiver) -> Receiver:
    return only_receiver


@pytest.fixture
def sandbox(only_sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    only_sandbox.post("/_sandbox/reset")
    call(only_sandbox, "DELETE", f"{APP}/subscriptions", token=APP_TOKEN)
    receiver.clear()
    return only_sandbox
