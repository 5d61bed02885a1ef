"""The whole pipeline as `make run` starts it: real processes, and the sandbox's ledger as the witness."""

import hashlib
import hmac
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from standardwebhooks import Webhook

from deploy.local import procfile
from messaging.subscriptions.outbox import CACHED_S
from testkit import waiting
from testkit.ports import free_port
from tests.environment import PREFIXES
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.subscriptions.receiver import Receiver
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow("starts the whole pipeline")

# Starting a dozen processes takes longer than any single test should.
PORTS = ("PORT", "SANDBOX_PORT", "FLOWER_PORT", "SQS_PORT", "POSTGRES_PORT")
SECOND_NUMBER = "106540352242923"
WAITING = "SELECT count(*) FROM messaging_message WHERE due_at IS NOT NULL AND released_at IS NULL"
# How long Meta holds a message: long enough to be seen on a busy machine.
HELD_MS = 8000
PROCESSES = procfile.read(CHECKOUT / "Procfile")


class Pipeline:
    """A running pipeline and what var/local.env says of it."""

    def __init__(self, env_file: Path) -> None:
        lines = (line.partition("=") for line in env_file.read_text().splitlines())
        self.env = {name: "".join(shlex.split(value)) for name, _, value in lines}
        self._logs = env_file.parent / "log"

    def api(self, path: str, body: object = None) -> Any:
        """Call the API with the key."""
        return call(self.env["BASE_URL"] + path, body, {"Authorization": f"Bearer {self.env['API_KEY']}"})

    def sandbox(self, path: str, body: object = None) -> Any:
        """Call the sandbox's own endpoints."""
        return call(f"{self.env['SANDBOX_URL']}/_sandbox/{path}", body, {})

    def send(self, *phone_numbers: str) -> list[str]:
        """Send a text to each number in one bulk; returns our ids."""
        text = {"message_type": "text", "message_data": {"content": "Hello from SQS!"}}
        messages = [{"phone_number": number, **text} for number in phone_numbers]
        return [result["id"] for result in self.api("/messaging/send/bulk", {"messages": messages})["results"]]

    def manage(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command of manage.py, with a log of its own."""
        with self._log_of(*command).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *command], env={**os.environ, **self.env}, cwd=CHECKOUT, stderr=log
            )

    def second_dispatcher(self) -> subprocess.Popen[bytes]:
        """One more dispatcher, which is ready."""
        started = self.manage("dispatch")
        assert eventually(lambda: "dispatcher is ready" in self._log_of("dispatch").read_text())
        return started

    def _log_of(self, *command: str) -> Path:
        return self._logs / f"{command[0]}-2.log"

    def asked(self, sql: str) -> Any:
        """The only value of a query."""
        with psycopg2.connect(self.env["DATABASE_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

    def logs(self) -> list[str]:
        """All lines of our processes, not of the local parts."""
        files = [path for path in self._logs.glob("*.log") if path.stem.split("-")[0] in PROCESSES]
        return [line for path in files for line in path.read_text().splitlines()]


def call(url: str, body: object, headers: dict[str, str]) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """`python -m deploy.local.run`, which is what `make run` runs, in a directory of its own."""
    var = tmp_path_factory.mktemp("pipeline")
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    env.update({name: str(free_port()) for name in PORTS}, VAR_DIR=str(var), LOG_FORMAT="json", LOG_LEVEL="DEBUG")
    env["SANDBOX_OTHER_NUMBERS"] = SECOND_NUMBER
    for name in ("DEPLOYMENT", "DJANGO_SETTINGS_MODULE"):
        env.pop(name, None)
    output = var / "output"
    with output.open("wb") as file:
        run = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.run"], env=env, cwd=CHECKOUT, stdout=file, stderr=file
        )
    try:
        # `make run` itself gives up after five minutes, and says for what it waits.
        ready = waiting.eventually(lambda: "\nready" in output.read_text() or run.poll() is not None, 2.5 * PATIENCE_S)
        assert ready, output.read_text()
        assert run.poll() is None, output.read_text()
        yield Pipeline(var / "local.env")
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(PATIENCE_S)
    said = output.read_text()
    assert "\nstopping (SIGINT): waiting up to " in said
    assert "\nstopped" in said


@pytest.fixture(scope="module")
def connect_seconds(pipeline: Pipeline) -> float:
    """How long `connect` took, which stores the account with its numbers and portfolio."""
    began = time.monotonic()
    assert pipeline.manage("connect", "--test-to", "+1 555 123 0050").wait(120) == 0
    return time.monotonic() - began


def test_a_message_is_sent_and_read(pipeline: Pipeline) -> None:
    (message_id,) = pipeline.send("+15551230001")
    url = f"/messaging/messages/{message_id}"
    assert eventually(lambda: pipeline.api(url)["status"] == "read"), pipeline.api(url)
    seen = [event["status"] for event in pipeline.api(url)["timeline"]]
    # Webhooks may overtake each other: a state that comes late is not gone back to.
    assert seen[:4] == ["pending", "queued", "sending", "accepted"]
    assert seen[4:] in (["sent", "delivered", "read"], ["sent", "read"], ["delivered", "read"], ["read"])


def test_a_hundred_messages_arrive_once_each(pipeline: Pipeline) -> None:
    ids = pipeline.send(*[f"+1555200{n:04}" for n in range(100)])

    def accepted() -> list[str]:
        sent = pipeline.sandbox("ledger")["messages"]
        return sorted(entry["biz_opaque_callback_data"] for entry in sent if entry["biz_opaque_callback_data"] in ids)

    assert eventually(lambda: len(accepted()) >= len(ids))
    assert accepted() == sorted(ids)


def test_connect_leads_to_a_delivered_template_within_two_minutes_and_doctor_finds_nothing(
    pipeline: Pipeline, connect_seconds: float
) -> None:
    assert connect_seconds < 120
    sent = [entry for entry in pipeline.sandbox("ledger")["messages"] if entry["to"] == "15551230050"]
    assert [entry["body"]["template"]["name"] for entry in sent] == ["hello_world"]
    assert pipeline.manage("doctor").wait(60) == 0


def test_what_a_user_writes_is_stored(pipeline: Pipeline) -> None:
    sent = pipeline.sandbox("inbound", {"from": "15551230009", "name": "Ann", "text": "Grüße"})
    stored = f"/messaging/messages?direction=inbound&wamid={sent['wamid']}"
    assert eventually(lambda: pipeline.api(stored)["results"])
    assert pipeline.api(stored)["results"][0]["text"] == "Grüße"


def test_what_a_user_writes_reaches_a_subscriber_signed(pipeline: Pipeline) -> None:
    receiver = Receiver()
    # The statuses of the messages before this one are on their way, too.
    wanted = {"url": receiver.url, "events": ["message.received"]}
    secret = pipeline.api("/messaging/subscriptions", wanted)["secret"]
    time.sleep(CACHED_S + 0.5)
    pipeline.sandbox("inbound", {"from": "15551230010", "name": "Ann", "text": "Is anybody there?"})
    assert eventually(lambda: receiver.received)
    got = receiver.received[0]
    receiver.close()
    event = Webhook(secret).verify(got.body, got.headers)
    assert (event["type"], event["data"]["text"]) == ("message.received", "Is anybody there?")


def test_an_event_is_stored(pipeline: Pipeline) -> None:
    event_id = str(uuid4())
    pipeline.api("/messaging/analytics", {"event_id": event_id, "event_type": "user_action", "event_data": {"n": 1}})
    with psycopg2.connect(pipeline.env["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def stored() -> Any:
            cursor.execute("SELECT data FROM analytics_event WHERE id = %s", [event_id])
            return cursor.fetchone()

        assert eventually(stored)
        assert stored() == ({"n": 1},)


def test_the_metrics_are_those_of_all_processes(pipeline: Pipeline) -> None:
    wanted = (
        'waproject_webhooks_total{outcome="taken"}',
        'waproject_task_seconds_count{outcome="ok",task="messaging.receive"}',
        'waproject_task_wait_seconds_count{task="messaging.send"}',
        'waproject_cloud_api_seconds_count{outcome="Accepted"}',
        'waproject_sqs_requests_total{action="SendMessage"',
    )
    request = urllib.request.Request(
        f"{pipeline.env['BASE_URL']}/monitoring/metrics", headers={"Authorization": f"Bearer {pipeline.env['API_KEY']}"}
    )

    def missing() -> list[str]:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            text = answer.read().decode()
        return [name for name in wanted if f"\n{name}" not in text]

    assert eventually(lambda: not missing(), every=1), missing()


def test_one_id_leads_from_a_webhook_through_the_queue_to_the_message(pipeline: Pipeline) -> None:
    content = json.dumps(webhook(inbound_text("wamid.traced", sender="15551230007"))).encode()
    signed = hmac.new(pipeline.env["WA_APP_SECRET"].encode(), content, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={signed}", "X-Request-ID": "traced-1"}
    request = urllib.request.Request(f"{pipeline.env['BASE_URL']}/webhook/whatsapp", content, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        assert answer.headers["X-Request-ID"] == "traced-1"

    def seen() -> set[tuple[str, str]]:
        found = [json.loads(line) for line in pipeline.logs() if "traced-1" in line]
        return {(line["process"], line["event"]) for line in found if line.get("messages", 0) <= 1}

    assert eventually(lambda: {("web", "request"), ("incoming", "task")} <= seen()), seen()


def hello_world(number: str, sender: str, priority: str = "normal") -> dict[str, Any]:
    data = {"name": "hello_world", "language": "en_US"}
    return {
        "phone_number": number, "message_type": "template", "message_data": data, "sender": sender,
        "priority": priority,
    }  # fmt: skip


@pytest.mark.usefixtures("connect_seconds")
def test_a_messaging_limit_opens_exactly_so_many_recipients_and_replies_go_on(pipeline: Pipeline) -> None:
    # Two numbers of one portfolio, which `connect` has stored, two dispatchers; earlier recipients count too.
    dispatcher = pipeline.second_dispatcher()
    pipeline.sandbox("settings", {"messaging_limit": 250})
    assert eventually(lambda: pipeline.asked("SELECT max(users_a_day) FROM messaging_portfolio") == 250)
    senders = (pipeline.env["WA_PHONE_NUMBER_ID"], SECOND_NUMBER)
    bulk = [hello_world(f"+1555300{n:04}", senders[n % 2]) for n in range(400)]
    forecast = pipeline.api("/messaging/send/bulk", {"messages": bulk})["messaging_limit"]
    assert [one["new_recipients"] for one in forecast] == [400]
    nothing_goes = "SELECT count(*) = 0 FROM messaging_message WHERE status IN ('pending', 'queued') AND hold IS NULL"
    assert eventually(lambda: pipeline.asked(nothing_goes))
    urgent = [hello_world(f"+1555301{n:04}", senders[n % 2], "high") for n in range(60)]
    pipeline.api("/messaging/send/bulk", {"messages": urgent})
    sent = pipeline.sandbox("inbound", {"from": "15553029999", "name": "Ann", "text": "Hello?"})
    stored = f"/messaging/messages?direction=inbound&wamid={sent['wamid']}"
    assert eventually(lambda: pipeline.api(stored)["results"])
    (reply,) = pipeline.send("+15553029999")
    assert eventually(lambda: pipeline.api(f"/messaging/messages/{reply}")["status"] == "read")
    assert eventually(lambda: pipeline.asked(nothing_goes))
    dispatcher.terminate()
    assert dispatcher.wait(30) == 0
    assert pipeline.sandbox("account")["opened_users"] == 250
    assert pipeline.asked("SELECT max(opened) FROM messaging_portfolio") == 250
    assert pipeline.asked("SELECT count(*) FROM messaging_messageevent WHERE error_code = 131048") == 0
    pipeline.sandbox("settings", {"messaging_limit": 0})
    assert eventually(lambda: pipeline.sandbox("account")["opened_users"] >= len(bulk) + len(urgent))


@pytest.mark.usefixtures("connect_seconds")
def test_a_paused_template_is_held_and_goes_on_when_it_is_approved(pipeline: Pipeline) -> None:
    # Many are on their way when Meta pauses it: it refuses some, and some refusals are recorded after the approval.
    bulk = [hello_world(f"+1555302{n:04}", SECOND_NUMBER) for n in range(300)]
    pipeline.api("/messaging/send/bulk", {"messages": bulk})
    pipeline.sandbox("templates", {"name": "hello_world", "status": "PAUSED"})
    open_holds = "SELECT count(*) FROM messaging_hold WHERE kind = 'template' AND resumed_at IS NULL"
    assert eventually(lambda: pipeline.asked(f"{open_holds} AND by = 'meta' AND until IS NULL") == 1)
    message_id = pipeline.api("/messaging/send", hello_world("+15554000001", SECOND_NUMBER))["id"]
    url = f"/messaging/messages/{message_id}"
    assert eventually(lambda: pipeline.api(url)["hold"] == "template"), pipeline.api(url)
    pipeline.sandbox("templates", {"name": "hello_world", "status": "APPROVED"})
    assert eventually(lambda: pipeline.api(url)["status"] == "read"), pipeline.api(url)
    assert eventually(lambda: pipeline.asked(f"{WAITING} AND due_at <= now()") == 0)
    assert pipeline.asked(open_holds) == 0


def paced(pipeline: Pipeline, phone_number: str, **pacing: object) -> str:
    """The URL of a message of a template that Meta paces, once Meta has accepted it and holds it."""
    pipeline.sandbox("templates", {"name": "spring_sale", "status": "APPROVED", "pacing": pacing})
    data = {"name": "spring_sale", "language": "en_US"}
    message = {"phone_number": phone_number, "message_type": "template", "message_data": data}
    url = f"/messaging/messages/{pipeline.api('/messaging/send', message)['id']}"

    def is_held() -> bool:
        now = pipeline.api(url)
        return (now["status"], now["hold"]) == ("accepted", "quality")

    assert eventually(is_held), pipeline.api(url)
    return url


def accepted_sends(pipeline: Pipeline, url: str) -> int:
    """How often Meta accepted this message."""
    return int(pipeline.sandbox(f"ledger?count_only=1&callback={url.rpartition('/')[2]}")["count"])


def test_a_message_that_meta_holds_for_its_quality_assessment_is_delivered_afterwards(pipeline: Pipeline) -> None:
    url = paced(pipeline, "+15554000002", hold_ms=HELD_MS)
    assert eventually(lambda: pipeline.api(url)["status"] == "read"), pipeline.api(url)
    assert (pipeline.api(url)["hold"], accepted_sends(pipeline, url)) == (None, 1)


def test_a_message_that_meta_drops_says_why_and_is_sent_once_more_when_its_template_is_approved(
    pipeline: Pipeline,
) -> None:
    url = paced(pipeline, "+15554000003", hold_ms=HELD_MS, verdict="drop")
    assert eventually(lambda: pipeline.api(url)["hold"] == "template"), pipeline.api(url)
    dropped = pipeline.api(url)
    (failure,) = [each for each in dropped["timeline"] if each["status"] == "failed"]
    sends = accepted_sends(pipeline, url)
    assert (dropped["error_code"], failure["error_code"], "paused" in failure["error_title"].lower(), sends) == (
        *(132015, 132015, True, 1),
    )
    pipeline.sandbox("templates", {"name": "spring_sale", "status": "APPROVED"})
    assert eventually(lambda: pipeline.api(url)["status"] == "read"), pipeline.api(url)
    assert accepted_sends(pipeline, url) == 2


def test_every_line_of_every_process_is_an_object(pipeline: Pipeline) -> None:
    lines = pipeline.logs()
    assert [line for line in lines if not line.startswith("{") or "event" not in json.loads(line)] == []
    named = {json.loads(line)["process"] for line in lines}
    assert named == {*PROCESSES} - {"flower"} | {""}


def test_no_process_wrote_a_phone_number_a_text_or_a_secret(pipeline: Pipeline) -> None:
    pipeline.send("+15551230001")
    secrets = [pipeline.env[name] for name in ("WA_APP_SECRET", "WA_WEBHOOK_VERIFY_TOKEN", "API_KEY")]
    private = ("15551230", "1555200", "155530", "wamid.H", "Hello from SQS!", "Grüße", "Ann", *secrets)
    found = [line for line in pipeline.logs() if any(words in line for words in private)]
    assert found == []
