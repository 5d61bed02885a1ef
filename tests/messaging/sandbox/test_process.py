"""The process: its options, its one-sentence refusals to start, and how it stops."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

from .process import Sandbox, start, start_with_secrets, started_port
from .receiver import Receiver


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_without_waiting_for_open_requests(receiver: Receiver, number: signal.Signals) -> None:
    process = start_with_secrets("--port", "0", "--webhook-url", receiver.url, SANDBOX_ANSWER_MS="60000")
    connection = Sandbox(started_port(process)).send_without_waiting()
    time.sleep(0.05)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    connection.close()
    assert (process.returncode, stderr) == (0, "")


def test_a_webhook_that_met_no_server_is_kept_and_comes_later() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    process = start_with_secrets("--port", "0", "--webhook-url", f"http://127.0.0.1:{port}/webhook")
    outcome = Sandbox(started_port(process)).post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})
    late = Receiver(port)
    late.wait_for(1, lambda hook: hook.value["messages"][0]["id"] == outcome["wamid"])
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    late.close()
    assert (outcome["delivered"], outcome["http_status"]) == (False, None)


@pytest.mark.parametrize("given", ["WA_ACCESS_TOKEN", "WA_APP_SECRET"])
def test_a_missing_secret_is_one_sentence(given: str) -> None:
    process = start("--port", "0", **{given: "x"})
    _, stderr = process.communicate(timeout=PATIENCE_S)
    missing = ({"WA_ACCESS_TOKEN", "WA_APP_SECRET"} - {given}).pop()
    assert (process.returncode, stderr) == (1, f"The sandbox needs {missing} in the environment.\n")


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start_with_secrets(SANDBOX_PORT=str(port))
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert stderr == f"Port {port} on 127.0.0.1 is taken; choose another with --port or SANDBOX_PORT.\n"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SANDBOX_ANSWER_MS", "600-150", 1),
        ("SANDBOX_STATUS_DELAYS_MS", "100,200", 1),
        ("SANDBOX_WEBHOOK_URL", "localhost", 1),
        ("WA_PHONE_NUMBER_ID", "abc", 1),
        ("SANDBOX_WINDOW", "shut", 1),
        ("SANDBOX_THROUGHPUT", "lots", 2),
        ("SANDBOX_PORT", "99999", 2),
        ("SANDBOX_ANSWER_MS", "soon", 2),
    ],
)
def test_a_bad_option_names_itself(name: str, value: str, code: int) -> None:
    process = start_with_secrets(**{"SANDBOX_PORT": "0", name: value})
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert name.removeprefix("SANDBOX_").replace("_", "-").lower() in stderr.replace("_", "-").lower().replace(" ", "-")


def test_only_the_loopback_address_listens(only_sandbox: Sandbox) -> None:
    # Another address of this machine still has the port free; it would not, were all addresses bound.
    socket.create_server(("127.0.0.2", only_sandbox.port)).close()


def test_it_imports_nothing_of_django_or_celery() -> None:
    sources = (Path(__file__).resolve().parents[3] / "messaging" / "sandbox").rglob("*.py")
    text = "\n".join(source.read_text() for source in sources)
    assert "import django" not in text
    assert "celery" not in text.lower()
