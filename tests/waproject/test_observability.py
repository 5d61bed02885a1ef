"""One send as one trace, and an error as a report, through real processes; neither holds anything personal."""

import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.local.postgres import Postgres
from messaging.subscriptions.outbox import CACHED_S
from testkit.load.webhooks import WebhookSender, inbound, new_wamid
from testkit.pipeline import Pipeline
from tests.messaging.subscriptions.receiver import Received, Receiver
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow("starts the whole pipeline")

PROCESSES = {"web": 1, "dispatcher": 1, "outgoing": 1, "incoming": 1, "deliver": 1}
NUMBER, TEXT, CAMPAIGN = "15551230042", "Your parcel waits at the station", "spring-and-Ann"


class Collector:
    """An OTLP collector, a Sentry server and a subscriber on this machine."""

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.receiver.answer = lambda _: 200

    def spans(self) -> list[Any]:
        """All spans that were exported."""
        found = []
        for received in self.receiver.of("/v1/traces"):
            request = ExportTraceServiceRequest.FromString(_plain(received))
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    found += scope.spans
        return found

    def trace_of(self, name: str, number: int = 1) -> dict[str, set[str]]:
        """Of the trace with the span of this name: the names of its spans by process. {} before there are `number`."""
        spans = self.spans()
        traces = [span.trace_id for span in spans if span.name == name]
        found: dict[str, set[str]] = {}
        for span in spans:
            if len(traces) >= number and span.trace_id == traces[-1]:
                found.setdefault(attributes(span).get("waproject.process", ""), set()).add(span.name)
        return found

    def events(self) -> list[Any]:
        """All events that Sentry got."""
        found = []
        for received in self.receiver.of("/api/1/envelope/"):
            lines = _plain(received).splitlines()
            for head, body in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(head)["type"] == "event":
                    found.append(json.loads(body))
        return found


def attributes(span: Any) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


def _plain(received: Received) -> bytes:
    headers = {name.lower(): value for name, value in received.headers.items()}
    return gzip.decompress(received.body) if headers.get("content-encoding") == "gzip" else received.body


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.receiver.close()


@pytest.fixture(scope="module")
def pipeline(collector: Collector, migrate: Callable[[Postgres], None]) -> Iterator[Pipeline]:
    url = collector.receiver.url
    settings = {
        "WEB_WORKERS": "1",
        "SQS_WAIT_TIME_S": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "SENTRY_DSN": url.replace("http://", "http://public@") + "/1",
    }
    made = Pipeline(PROCESSES, settings)
    migrate(made.postgres)
    with made:
        yield made


def api(pipeline: Pipeline, path: str, body: object) -> Any:
    headers = {"Authorization": f"Bearer {pipeline.env['API_KEY']}", "Content-Type": "application/json"}
    request = urllib.request.Request(pipeline.env["BASE_URL"] + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


def send(pipeline: Pipeline) -> Any:
    body = {"phone_number": f"+{NUMBER}", "message_type": "text", "message_data": {"content": TEXT}}
    return api(pipeline, "/messaging/send", {**body, "campaign": CAMPAIGN})


def subscribe(pipeline: Pipeline, collector: Collector) -> None:
    api(pipeline, "/messaging/subscriptions", {"url": f"{collector.receiver.url}/subscriber"})
    time.sleep(CACHED_S + 0.5)


def test_one_send_is_one_trace_through_all_processes(pipeline: Pipeline, collector: Collector) -> None:
    subscribe(pipeline, collector)
    send(pipeline)
    wanted = {
        "web": {"POST messaging/send"},
        "dispatcher": {"release", "apply_async/messaging.send"},
        "outgoing": {"run/messaging.send", "call the Cloud API", "POST"},
        "deliver": {"deliver", "POST"},
    }

    def is_there() -> bool:
        found = collector.trace_of("POST messaging/send")
        return all(names <= found.get(process, set()) for process, names in wanted.items())

    assert eventually(is_there), collector.trace_of("POST messaging/send")


def test_what_a_user_writes_is_one_trace_from_the_webhook_to_its_task(pipeline: Pipeline, collector: Collector) -> None:
    WebhookSender(pipeline.env).post([inbound(NUMBER, new_wamid(), int(time.time()), TEXT)])

    def is_there() -> bool:
        traces = {
            span.trace_id
            for span in collector.spans()
            if (attributes(span).get("waproject.process"), span.name) == ("web", "POST webhook/whatsapp")
        }
        return any(span.name == "run/messaging.receive" and span.trace_id in traces for span in collector.spans())

    assert eventually(is_there)


def test_a_task_that_was_joined_is_linked_to_the_requests_of_each_message(
    pipeline: Pipeline, collector: Collector
) -> None:
    sender = WebhookSender(pipeline.env)
    (worker,) = pipeline.group("incoming")
    worker.stop()
    for n in range(3):
        sender.post([inbound(f"1555123004{n}", new_wamid(), int(time.time()), TEXT)])
    worker.start()

    def links() -> set[bytes]:
        runs = [span for span in collector.spans() if span.name == "run/messaging.receive"]
        return {link.trace_id for run in runs for link in run.links}

    def webhooks() -> set[bytes]:
        return {span.trace_id for span in collector.spans() if span.name == "POST webhook/whatsapp"}

    assert eventually(lambda: len(links()) >= 2 and links() <= webhooks()), (links(), webhooks())


def test_no_poll_of_the_database_is_a_trace(pipeline: Pipeline, collector: Collector) -> None:
    time.sleep(0.5)
    spans = collector.spans()
    assert spans
    assert [span.name for span in spans if not span.parent_span_id and span.kind == span.SPAN_KIND_CLIENT] == []


def test_an_error_of_ours_is_reported(pipeline: Pipeline, collector: Collector) -> None:
    pipeline.execute("ALTER TABLE messaging_messageevent RENAME TO away")
    try:
        with pytest.raises(urllib.error.HTTPError, match="500"):
            send(pipeline)
    finally:
        pipeline.execute("ALTER TABLE away RENAME TO messaging_messageevent")
    assert eventually(lambda: any("exception" in event for event in collector.events()))
    event = next(event for event in collector.events() if "exception" in event)
    kinds = {value["type"] for value in event["exception"]["values"]}
    assert ("ProgrammingError" in kinds, event["tags"]["process"]) == (True, "web")
    assert event["exception"]["values"][-1]["stacktrace"]["frames"]


def test_nothing_personal_or_secret_leaves_in_a_span_or_an_event(pipeline: Pipeline, collector: Collector) -> None:
    secrets = [pipeline.env[name] for name in ("API_KEY", "WA_ACCESS_TOKEN", "WA_APP_SECRET", "POSTGRES_PORT")]
    private = [NUMBER, "1555123004", TEXT, CAMPAIGN, "wamid.", pipeline.env["WA_PHONE_NUMBER_ID"], *secrets]
    assert collector.spans() and collector.events()
    sent = [
        _plain(one).decode("latin-1")
        for path in ("/v1/traces", "/api/1/envelope/")
        for one in collector.receiver.of(path)
    ]
    assert [words for words in private if any(words in text for text in sent)] == []
