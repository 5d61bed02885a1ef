"""`manage.py loadtest`, against a pipeline that really runs."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from deploy.local.postgres import Postgres
from testkit.pipeline import Pipeline
from tests import warm_python
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow("starts the whole pipeline")

PROCESSES = {"web": 1, "dispatcher": 1, "outgoing": 1, "incoming": 1}
SETTINGS = {"WEB_WORKERS": "1", "SQS_WAIT_TIME_S": "1"}


@pytest.fixture(scope="module")
def pipeline(migrate: Callable[[Postgres], None]) -> Iterator[Pipeline]:
    made = Pipeline(PROCESSES, SETTINGS)
    migrate(made.postgres)
    with made:
        yield made


def command(env: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    given = [sys.executable, "manage.py", "loadtest", *arguments]
    return warm_python.Popen(given, env=env, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def loadtest(pipeline: Pipeline, directory: Path, *arguments: str) -> "subprocess.Popen[str]":
    addresses = ("--target", pipeline.env["BASE_URL"], "--ledger", pipeline.env["SANDBOX_URL"])
    return command(pipeline.env, *addresses, "--output", str(directory), *arguments)


def report(directory: Path) -> Any:
    return json.loads((directory / "loadtest.json").read_text())


def test_a_short_load_is_sent_once_and_stored_once(pipeline: Pipeline, tmp_path: Path) -> None:
    run = loadtest(pipeline, tmp_path, "--rate", "20", "--seconds", "2")
    stdout, stderr = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0, stderr
    found = report(tmp_path)
    assert found["ledger"] == {"sent": 40, "lost": 0, "doubled": 0, "unsettled": 0}
    assert found["stored"] == {"lost": 0, "doubled": 0}
    assert (found["sends"]["good"], found["webhooks"]["good"]) == (40, 40)
    assert 0 < found["to_cloud_api"]["p50_ms"] < 30_000
    assert "40 sent, 0 lost, 0 doubled" in stdout
    assert "80 of 80 answered" in stderr
    ElementTree.parse(tmp_path / "loadtest.svg")  # noqa: S314 - drawn by us


def test_ctrl_c_leaves_a_report_of_what_was_sent_until_then(pipeline: Pipeline, tmp_path: Path) -> None:
    before = pipeline.sandbox.count()
    run = loadtest(pipeline, tmp_path, "--rate", "10", "--seconds", "100")
    assert eventually(lambda: pipeline.sandbox.count() > before + 3)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=PATIENCE_S)
    found = report(tmp_path)
    assert (run.returncode, found["interrupted"]) == (1, True), stderr
    assert "The load test failed: 1 interruption." in stderr
    assert 3 < found["ledger"]["sent"] == found["sends"]["good"] < 1000


def test_a_message_that_was_given_up_fails_the_load_test(pipeline: Pipeline, tmp_path: Path) -> None:
    refused = [{"trigger": {"next": 2}, "outcome": {"error": 131026}}]
    with pipeline.sandbox.faults(pipeline.env["WA_PHONE_NUMBER_ID"], refused):
        run = loadtest(pipeline, tmp_path, "--rate", "10", "--seconds", "1")
        _, stderr = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, "2 messages lost" in stderr) == (1, True), stderr


def test_without_the_ledger_of_its_sandbox_a_target_gets_no_message(pipeline: Pipeline, tmp_path: Path) -> None:
    before = pipeline.sandbox.count()
    addresses = ("--target", pipeline.env["BASE_URL"], "--ledger", "https://graph.facebook.com")
    run = command(pipeline.env, *addresses, "--rate", "10", "--seconds", "1", "--output", str(tmp_path))
    _, stderr = run.communicate(timeout=PATIENCE_S)
    time.sleep(0.2)
    assert (run.returncode, "is of another server" in stderr, pipeline.sandbox.count()) == (1, True, before)


SHORT = ("--rate", "1", "--seconds", "1")
ADDRESSES = ("--target", "http://127.0.0.1:1", "--ledger", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ((*ADDRESSES, "--rate", "0", "--seconds", "1"), {}, "not a number above 0 and up to 1000"),
        ((*ADDRESSES, "--rate", "nan", "--seconds", "1"), {}, "not a number above 0"),
        ((*ADDRESSES, "--rate", "1001", "--seconds", "1"), {}, "not a number above 0 and up to 1000"),
        ((*ADDRESSES, "--rate", "many", "--seconds", "1"), {}, "not a number above 0"),
        ((*ADDRESSES, "--rate", "1", "--seconds", "-1"), {}, "not a number above 0"),
        ((*ADDRESSES, "--rate", "1", "--seconds", "inf"), {}, "not a number above 0"),
        ((*ADDRESSES, "--rate", "1000", "--seconds", "86400"), {}, "--rate times --seconds must be at most 200,000"),
        ((*ADDRESSES, "--rate", "1"), {}, "--seconds"),
        ((*ADDRESSES[:2], *SHORT), {}, "--ledger"),
        ((*ADDRESSES, *SHORT), {}, "API_KEY must be set"),
        ((*ADDRESSES, *SHORT), {"API_KEY": "wak_x_y"}, "http://127.0.0.1:1 does not answer"),
        (("--target", "staging", *ADDRESSES[2:], *SHORT), {"API_KEY": "wak_x_y"}, "--target must"),
        ((*ADDRESSES, *SHORT, "--output", __file__), {"API_KEY": "wak_x_y"}, "--output .* cannot be written"),
        ((*ADDRESSES, *SHORT, "--output", "/proc/x"), {"API_KEY": "wak_x_y"}, "--output .* cannot be written"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(
    arguments: tuple[str, ...], variables: dict[str, str], words: str, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    from django.core.management import CommandError

    from messaging.management.commands.loadtest import Command

    settings.LOCAL_API_KEY = variables.get("API_KEY", "")
    parser = Command().create_parser("manage.py", "loadtest")
    parser.called_from_command_line = False
    with pytest.raises(CommandError, match=words):
        options = vars(parser.parse_args(list(arguments)))
        Command().handle(**options)


def test_from_the_image_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.management import CommandError, call_command

    monkeypatch.setitem(sys.modules, "testkit.loadtest.installation", None)
    with pytest.raises(CommandError, match="runs from a checkout"):
        call_command("loadtest", *ADDRESSES, rate="1", seconds="1")
