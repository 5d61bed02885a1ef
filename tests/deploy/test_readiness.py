"""Waiting for the programs of a run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import LocalError, readiness
from deploy.local.programs import Program
from deploy.local.readiness import Readiness
from deploy.local.supervisor import Supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisord whose `web` runs and never answers."""
    running = Supervisor(tmp_path, Path.cwd())
    running.configure([Program("web", "parts", "sleep 60")])
    running.start(os.environ)
    yield running
    running.stop()
    running.remove_socket()


def test_a_slow_start_says_what_it_waits_for(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "REPORTED_EVERY_S", 0.2)
    said: list[str] = []
    Readiness(supervisor, said.append).wait({"web": lambda: len(said) == 2, "flower": lambda: True}, 120)
    assert said == ["waiting for web", "waiting for web"]


def test_a_quick_start_says_nothing(supervisor: Supervisor) -> None:
    said: list[str] = []
    Readiness(supervisor, said.append).wait({"web": lambda: True}, 120)
    assert said == []


def test_a_program_that_never_answers_is_named_with_its_log(supervisor: Supervisor) -> None:
    with pytest.raises(LocalError, match=r"web did not come up within 1 s: .*web\.log"):
        Readiness(supervisor, print).wait({"web": lambda: False}, 1)
