"""The pipeline on the stack's queues and bucket, each process held to its role: no right is missing, none is extra."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.tasks import record_events
from deploy.local.postgres import Postgres
from messaging.incoming.tasks import receive, receive_stored
from messaging.outgoing.tasks import revive
from messaging.task_publisher import message
from tests import test_end_to_end as end_to_end
from tests.deploy.aws.deployment import Deployment
from tests.deploy.aws.roles import Gate, Right, roles
from tests.deploy.aws.templates import ACCOUNT, REGION, STACK, Cloud
from tests.messaging.bodies import inbound_text, webhook
from tests.waiting import PATIENCE_S, eventually
from waproject.queues import LANES

pytestmark = pytest.mark.slow("starts the whole pipeline")

# What no local server offers, or no test brings about, by role and with the reason.
NOT_LOCAL = {
    # The local SQS has no StartMessageMoveTask: the monitor asks for the moves under way, and then moves by itself.
    "monitor": {"sqs:StartMessageMoveTask", "sqs:CancelMessageMoveTask"},
}
# A task of each lane that always fails.
FAILING = {
    "incoming": message(receive_stored, ("no number",)).body,
    "outgoing": message(revive, ("no id", 1)).body,
    "analytics": message(record_events, ([{"id": "no id"}],)).body,
}
SWEEP = """
import django; django.setup()
from waproject.worker import liveness
from waproject.bus import queues
queues.sweep(queues.bus(), liveness.names(60), 0)
"""
# The monitor's hourly check, without what it asks of Meta.
OWN_CHECKS = """
import django; django.setup()
from monitoring.setup import pipeline_findings
print([finding.text for finding in pipeline_findings() if finding.state != "ok"])
"""


@pytest.fixture(scope="module")
def gate(cloud: Cloud, outputs: dict[str, str]) -> Iterator[Gate]:
    """Stands between the processes and SQS and S3."""
    made = Gate(cloud, roles(cloud, outputs) | {"operator": frozenset()})
    yield made
    made.close()


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory,
    cloud: Cloud,
    outputs: dict[str, str],
    gate: Gate,
    migrate: Callable[[Postgres], None],
) -> Iterator[Deployment]:
    """Every process of the Procfile."""
    directory = tmp_path_factory.mktemp("deployment")
    # A send that Meta refuses for now is exhausted at once.
    made = Deployment(directory, cloud, outputs, gate, WA_MAX_ATTEMPTS="1", LOG_FORMAT="json")
    migrate(made.postgres)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def pipeline(deployment: Deployment) -> end_to_end.Pipeline:
    """What the end-to-end tests ask of `make run`'s pipeline."""
    return end_to_end.Pipeline(deployment.env_file)


# The end-to-end test, here on the queues that the template made.
test_a_message_is_sent_and_read = end_to_end.test_a_message_is_sent_and_read
test_a_hundred_messages_arrive_once_each = end_to_end.test_a_hundred_messages_arrive_once_each
test_what_a_user_writes_is_stored = end_to_end.test_what_a_user_writes_is_stored
test_an_event_is_stored = end_to_end.test_an_event_is_stored


def test_a_file_that_a_user_sends_is_kept_in_the_bucket(pipeline: end_to_end.Pipeline) -> None:
    content = base64.b64encode(b"a photo").decode()
    media = {"data": content, "mime_type": "image/jpeg"}
    sent = pipeline.sandbox("inbound", {"from": "15551230021", "type": "image", "media": media})
    found = f"/messaging/messages?direction=inbound&wamid={sent['wamid']}"
    assert eventually(lambda: pipeline.api(found)["results"])
    (row,) = pipeline.api(found)["results"]
    assert eventually(lambda: status(pipeline, f"/messaging/messages/{row['id']}/media") == 200)


def test_the_file_of_an_erased_person_leaves_the_bucket(
    cloud: Cloud, outputs: dict[str, str], pipeline: end_to_end.Pipeline, deployment: Deployment
) -> None:
    content = base64.b64encode(b"my own photo").decode()
    media = {"data": content, "mime_type": "image/jpeg"}
    sent = pipeline.sandbox("inbound", {"from": "15551230022", "type": "image", "media": media})
    found = f"/messaging/messages?direction=inbound&wamid={sent['wamid']}"
    assert eventually(lambda: pipeline.api(found)["results"])
    (row,) = pipeline.api(found)["results"]
    assert eventually(lambda: status(pipeline, f"/messaging/messages/{row['id']}/media") == 200)
    deployment.run("python manage.py erase_contact 15551230022 --yes", role="web")
    s3, bucket = cloud.client("s3"), outputs["MediaBucketName"]

    def keys() -> list[str]:
        return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    assert eventually(lambda: not any(row["id"] in key for key in keys()))


def test_a_file_that_the_bucket_no_longer_has_is_a_clear_answer(
    cloud: Cloud, outputs: dict[str, str], pipeline: end_to_end.Pipeline
) -> None:
    s3, bucket = cloud.client("s3"), outputs["MediaBucketName"]
    for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=entry["Key"])
    rows = pipeline.api("/messaging/messages?direction=inbound&type=image")["results"]
    assert {status(pipeline, f"/messaging/messages/{row['id']}/media") for row in rows} == {410}


@pytest.mark.parametrize(("lane", "body"), FAILING.items())
def test_a_task_that_fails_is_hidden_for_its_back_off(
    lane: str, body: str, cloud: Cloud, outputs: dict[str, str], gate: Gate
) -> None:
    cloud.client("sqs").send_message(QueueUrl=outputs[f"{lane.capitalize()}QueueUrl"], MessageBody=body)
    assert eventually(lambda: right("ChangeMessageVisibility", lane) in gate.used[lane])


def test_a_lost_answer_makes_the_dispatcher_look_at_the_incoming_lane(
    pipeline: end_to_end.Pipeline, gate: Gate
) -> None:
    pipeline.send("+15557000004")
    assert eventually(lambda: right("GetQueueAttributes", "incoming-dlq") in gate.used["dispatcher"])


def test_an_exhausted_message_comes_back_by_way_of_the_dead_letters(pipeline: end_to_end.Pipeline) -> None:
    (message_id,) = pipeline.send("+15559133015")
    assert eventually(lambda: letters(pipeline, "outgoing"))
    assert letters(pipeline, "outgoing")[0]["outbound"]["id"] == message_id
    assert move(pipeline, "outgoing", {"all": True})["state"] == "done"
    assert eventually(lambda: letters(pipeline, "outgoing"))  # refused once more


@pytest.mark.parametrize("process", [*LANES, "dispatcher", "deliver", "monitor", "beat"])
def test_a_process_passes_the_health_check_of_its_container(process: str, deployment: Deployment) -> None:
    deployment.run("python -m waproject.heartbeat", role=process)


def test_the_installation_is_connected_to_meta_and_found_healthy_with_the_rights_of_web(deployment: Deployment) -> None:
    assert "Connected." in deployment.run("python manage.py connect", role="web")
    assert "Everything is as it should be." in deployment.run("python manage.py doctor", role="web")


def test_the_monitor_finds_queues_and_bucket_healthy_with_its_rights(deployment: Deployment) -> None:
    assert deployment.run_code(OWN_CHECKS, role="monitor") == "[]\n"


def test_a_message_of_a_held_campaign_expires(pipeline: end_to_end.Pipeline) -> None:
    def send(**when: float) -> Any:
        body = {"phone_number": "+15551230031", "message_type": "text", "message_data": {"content": "late"}}
        times = {name: (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat() for name, seconds in when.items()}
        return pipeline.api("/messaging/send", {**body, **times, "campaign": "held"})

    send(send_at=3600)  # a campaign that has no message yet cannot be held
    pipeline.api("/messaging/campaigns/held/hold", {})
    sent = send(expires_at=2)
    assert eventually(lambda: pipeline.api(f"/messaging/messages/{sent['id']}")["status"] == "expired")


@pytest.mark.parametrize("lane", LANES)
def test_one_dead_letter_is_redriven_and_its_neighbour_given_back(
    lane: str, cloud: Cloud, outputs: dict[str, str], pipeline: end_to_end.Pipeline
) -> None:
    for n in range(2):
        body = message(receive, (webhook(inbound_text(f"wamid.{lane}{n}", sender="15551230007")),)).body
        cloud.client("sqs").send_message(QueueUrl=outputs[f"{lane.capitalize()}DlqUrl"], MessageBody=body)
    assert eventually(lambda: len(letters(pipeline, lane)) >= 2)
    before = letters(pipeline, lane)
    assert move(pipeline, lane, {"message_ids": [before[0]["message_id"]]})["done"] == 1
    assert eventually(lambda: len(letters(pipeline, lane)) == len(before) - 1)


@pytest.mark.parametrize("lane", LANES)
def test_all_dead_letters_are_redriven(lane: str, pipeline: end_to_end.Pipeline) -> None:
    assert move(pipeline, lane, {"all": True})["state"] == "done"


def test_the_depths_of_all_queues_are_known(pipeline: end_to_end.Pipeline) -> None:
    assert set(pipeline.api("/messaging/queue/status")["queues"]) == set(LANES)
    assert pipeline.api("/health/sqs")["status"] == "ok"


def test_flower_shows_the_workers_and_the_lanes(pipeline: end_to_end.Pipeline) -> None:
    log_in = base64.b64encode(f"{pipeline.env['FLOWER_USER']}:{pipeline.env['FLOWER_PASSWORD']}".encode()).decode()

    def page(path: str) -> str:
        request = urllib.request.Request(
            pipeline.env["FLOWER_URL"] + path, headers={"Authorization": f"Basic {log_in}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    assert eventually(lambda: len(json.loads(page("/api/workers?refresh=1"))) == len(LANES))
    broker = page("/broker")
    assert [lane for lane in LANES if f"<td>{lane}</td>" not in broker] == [], broker


def test_celery_inspect_works_with_the_rights_of_flower(deployment: Deployment) -> None:
    assert "3 nodes online" in deployment.run("celery -A waproject inspect ping -t 5", role="flower")


@pytest.mark.parametrize("lane", LANES)
def test_a_worker_sweeps_the_bus(lane: str, cloud: Cloud, deployment: Deployment) -> None:
    sqs = cloud.client("sqs")
    left_behind = {f"{STACK}-monitor-node-gone", f"{STACK}-monitor-replies-gone"}
    for name in left_behind:
        sqs.create_queue(QueueName=name)
    time.sleep(1)  # a queue's age counts in whole seconds
    deployment.run_code(SWEEP, role=lane)
    assert left_behind & {url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]} == set()


def test_beat_publishes(gate: Gate) -> None:
    assert eventually(lambda: right("SendMessage", "analytics") in gate.used["beat"])


def test_nothing_is_lost_or_doubled_while_sqs_is_away(pipeline: end_to_end.Pipeline, gate: Gate) -> None:
    numbers = [f"+1555124{n:04d}" for n in range(20)]
    with gate.outage() as hits:
        for number in numbers:
            pipeline.send(number)
        pipeline.sandbox("inbound", {"from": "15551240099", "text": "while SQS is away"})
        assert eventually(lambda: {"web", "dispatcher", "incoming", "outgoing"} <= hits.keys()), hits

    def sends() -> Counter[str]:
        return Counter(f"+{entry['to']}" for entry in pipeline.sandbox("ledger")["messages"])

    assert eventually(lambda: {sends()[number] for number in numbers} == {1}), sends()
    assert len(pipeline.api("/messaging/messages?direction=inbound&phone_number=15551240099")["results"]) == 1


@pytest.mark.parametrize(
    ("role", "action"),
    [
        # One of each kind: test_permissions.py has every right of every role.
        ("incoming", "sqs:ReceiveMessage"),
        ("analytics", "sqs:DeleteMessage"),
        ("web", "sqs:SendMessage"),
    ],
)
def test_a_right_that_is_missing_is_named_in_the_log(
    role: str, action: str, pipeline: end_to_end.Pipeline, deployment: Deployment, gate: Gate
) -> None:
    before = len(deployment.log(role))
    with gate.without(role, lambda right: right.action == action):
        pipeline.api("/messaging/analytics", {"event_type": "t", "event_data": {}})
        pipeline.sandbox("inbound", {"from": "15551230042", "text": "hi"})
        pipeline.send("+15551230041")
        line = f"not permitted: {action} on {STACK}-"
        assert eventually(lambda: line in deployment.log(role)[before:]), deployment.log(role)[before:]


def test_no_process_wrote_beside_its_directory_for_temporary_files(deployment: Deployment) -> None:
    assert {str(path.relative_to(deployment.image)) for path in deployment.image.rglob("*")} == deployment.image_files


def test_no_process_was_refused_anything(deployment: Deployment, gate: Gate) -> None:
    deployment.stop()
    assert {role: asked for role, asked in gate.refused.items() if asked} == {}


def test_no_role_has_a_right_that_its_process_does_not_use(gate: Gate) -> None:
    unused = {role: allowed - gate.used[role] for role, allowed in gate.allowed.items()}
    extra = {
        role: {each for each in found if each.action not in NOT_LOCAL.get(role, ())} for role, found in unused.items()
    }
    assert {role: found for role, found in extra.items() if found} == {}


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-{name}"


def right(action: str, queue: str) -> Right:
    return Right(f"sqs:{action}", queue_arn(queue))


def status(pipeline: end_to_end.Pipeline, path: str) -> int:
    """The HTTP status of a GET."""
    headers = {"Authorization": f"Bearer {pipeline.env['API_KEY']}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(pipeline.env["BASE_URL"] + path, headers=headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def letters(pipeline: end_to_end.Pipeline, lane: str) -> list[dict[str, Any]]:
    return list(pipeline.api(f"/monitoring/dlq/{lane}")["letters"])


def move(pipeline: end_to_end.Pipeline, lane: str, what: dict[str, Any]) -> dict[str, Any]:
    """Redrive, and wait until it is over."""
    asked = pipeline.api(f"/monitoring/dlq/{lane}/redrive", what)

    def now() -> dict[str, Any]:
        return dict(pipeline.api(f"/monitoring/moves/{asked['id']}"))

    assert eventually(lambda: now()["state"] in {"done", "failed", "stopped"}), now()
    return now()
