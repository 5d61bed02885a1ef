"""A process that lacks a variable ends with a sentence. test_settings_table.py has every variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import procfile
from testkit.processes import CHECKOUT, shell
from tests import warm_python
from tests.waiting import PATIENCE_S
from tests.waproject.test_settings import PRODUCTION, SQS

pytestmark = pytest.mark.slow("starts each process with faulty settings")

COMMANDS = procfile.read(CHECKOUT / "Procfile")


def production(tmp_path: Path, **changes: str) -> dict[str, str]:
    """The environment of a process in production; an empty value unsets a variable."""
    paths = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TMPDIR": str(tmp_path),
        "PORT": "0",
        "WEB_WORKERS": "1",
    }
    return {name: value for name, value in {**os.environ, **paths, **PRODUCTION, **changes}.items() if value}


def started(command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The end of a process."""
    return warm_python.run(shell(command), env=env, timeout=PATIENCE_S)


# Faults that are found in three places: while the settings are read, by the system checks, and by Flower alone.
FAULTS = {
    "a missing secret": ({"WA_APP_SECRET": ""}, "WA_APP_SECRET is not set (see docs/settings.md)."),
    "a malformed number": (
        {"SQS_WAIT_TIME_S": "soon"},
        "SQS_WAIT_TIME_S is not a whole number from 0 to 20 (see docs/settings.md).",
    ),
    "a queue without a DLQ": (
        {"SQS_INCOMING_DLQ_URL": ""},
        "The queue 'incoming' has no dead-letter queue: set SQS_INCOMING_DLQ_URL to the queue that its RedrivePolicy "
        "names (see docs/settings.md).",
    ),
    "a guessable token": (
        {"METRICS_TOKEN": "1234567"},
        "METRICS_TOKEN is shorter than 8 characters: set METRICS_TOKEN to a random value, such as the output of "
        "`openssl rand -hex 32` (see docs/settings.md).",
    ),
}
FLOWER_FAULTS = {
    "no bus": (
        {"SQS_MONITOR_QUEUE_URL": ""},
        "Flower and celery inspect need the monitor bus, which is off: set SQS_MONITOR_QUEUE_URL (docs/flower.md).",
    ),
    "no log-in": (
        {"FLOWER_BASIC_AUTH": ""},
        "Flower would be open to anyone: set FLOWER_BASIC_AUTH=user:password (see docs/settings.md).",
    ),
    "half a log-in": (
        {"FLOWER_BASIC_AUTH": "ops:"},
        "FLOWER_BASIC_AUTH must be user:password, neither of them empty (see docs/settings.md).",
    ),
}
BUS = {"SQS_MONITOR_QUEUE_URL": f"{SQS}/wa-app-sqs-monitor", "FLOWER_BASIC_AUTH": "ops:password"}


def said(process: str, env: dict[str, str]) -> list[str]:
    """What a process that must not start writes beside its log, which is JSON."""
    done = started(COMMANDS[process], env)
    assert done.returncode != 0
    return [line for line in (done.stdout + done.stderr).splitlines() if line and not line.startswith("{")]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("process", COMMANDS)
def test_every_process_says_in_one_sentence_why_it_does_not_start(process: str, fault: str, tmp_path: Path) -> None:
    change, sentence = FAULTS[fault]
    assert said(process, production(tmp_path, **BUS, **change)) == [sentence]


@pytest.mark.parametrize("fault", FLOWER_FAULTS)
def test_flower_says_in_one_sentence_what_it_lacks(fault: str, tmp_path: Path) -> None:
    change, sentence = FLOWER_FAULTS[fault]
    assert said("flower", production(tmp_path, **{**BUS, **change})) == [sentence]


def test_several_web_workers_that_cannot_start_leave_no_traceback(tmp_path: Path) -> None:
    env = production(tmp_path, SQS_INCOMING_DLQ_URL="", WEB_WORKERS="4")
    assert set(said("web", env)) == {FAULTS["a queue without a DLQ"][1]}


def test_check_deploy_has_no_warning_with_a_complete_configuration(tmp_path: Path) -> None:
    secret = "".join(f"{number:02}aB" for number in range(20))
    env = production(tmp_path, DJANGO_SECRET_KEY=secret, MEDIA_S3_BUCKET="files")
    done = started("python -W error manage.py check --deploy", env)
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr
