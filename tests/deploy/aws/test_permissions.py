"""Each right of each role, used by the code that needs it: with it the request succeeds, without it the log names it.

The requests are made in this process, with the role's name as access key, through the gate that holds it to its role.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from tests.deploy.aws.roles import Gate, Right, roles
from tests.deploy.aws.templates import REGION, STACK, Cloud
from tests.waiting import eventually
from waproject.bus import messages, queues
from waproject.environment.file_storage import media_storage
from waproject.environment.media_bucket import MediaBucket
from waproject.queues import LANES
from waproject.sqs import access_denied, control, moving, sampling
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.receiving import Received, Receiver
from waproject.sqs.settling import Settler
from waproject.sqs.wire import Client

PROCESSES = ("web", *LANES, "dispatcher", "deliver", "monitor", "beat", "flower")
# The local SQS has no move tasks: to ask for them is all that a process gets to do.
NOT_LOCAL = {"sqs:StartMessageMoveTask", "sqs:CancelMessageMoveTask"}
FILE = "a file"


@dataclass(frozen=True, slots=True)
class Site:
    """One queue (or the bucket) as a process sees it through the gate.

    made: the operator's client of the cloud. refused: whether the gate has refused the process something.
    """

    made: Any
    refused: Callable[[], bool]
    url: str
    sqs: Any
    client: Client
    files: MediaBucket

    def filled(self) -> list[sampling.SampledMessage]:
        """Put a message on the queue and receive it, as the operator."""
        self.made.send_message(QueueUrl=self.url, MessageBody="{}")
        return sampling.receive(self.made, self.url, hide_s=20)


def receive_as_worker(site: Site) -> None:
    arrived = threading.Event()

    def take(received: list[Received]) -> None:
        arrived.set()

    site.made.send_message(QueueUrl=site.url, MessageBody="{}")
    receiver = Receiver(site.client, site.url, take=take, release=take, capacity=20, linger=0.0, wait_time=1)
    receiver.start()
    eventually(lambda: arrived.is_set() or site.refused())
    receiver.stop()
    receiver.join()


def settle_as_worker(site: Site, settle: Callable[[Settler, list[str]], None]) -> None:
    settler = Settler(site.client, site.url, 1.0)
    settle(settler, [each.handle for each in site.filled()])
    settler.close(0.5)


def sweep(site: Site) -> None:
    """A worker looks at the age of a queue that belongs to nobody, and deletes it."""
    site.made.create_queue(QueueName=site.url.rpartition("/")[2])
    queues.sweep(queues.bus(), (), 0)


# By action and what it is done to.
OPERATIONS: dict[tuple[str, str], Callable[[Site], Any]] = {
    ("sqs:SendMessage", "lane"): lambda site: Publisher(site.client).send(Outgoing(site.url, "{}")),
    ("sqs:SendMessage", "dlq"): lambda site: Publisher(site.client).send(Outgoing(site.url, "{}")),
    ("sqs:GetQueueAttributes", "lane"): lambda site: control.depth(site.sqs, site.url),
    ("sqs:GetQueueAttributes", "dlq"): lambda site: control.depth(site.sqs, site.url),
    ("sqs:ReceiveMessage", "lane"): receive_as_worker,
    ("sqs:DeleteMessage", "lane"): lambda site: settle_as_worker(site, lambda to, handles: to.delete(handles)),
    ("sqs:ChangeMessageVisibility", "lane"): lambda site: settle_as_worker(
        site, lambda to, handles: to.hide(handles, 0)
    ),
    ("sqs:ReceiveMessage", "dlq"): lambda site: sampling.receive(site.sqs, site.url, hide_s=0),
    ("sqs:DeleteMessage", "dlq"): lambda site: sampling.delete(site.sqs, site.url, site.filled()),
    ("sqs:ChangeMessageVisibility", "dlq"): lambda site: sampling.release(
        site.sqs, site.url, [each.handle for each in site.filled()]
    ),
    ("sqs:ListMessageMoveTasks", "dlq"): lambda site: moving.start_move_task(site.sqs, arn(site), arn(site), 1),
    ("sqs:SendMessage", "bus"): lambda site: messages.send(site.url, "{}"),
    ("sqs:CreateQueue", "bus"): lambda site: queues.create(site.url, 60),
    ("sqs:ReceiveMessage", "bus"): lambda site: messages.receive(site.url, 0),
    ("sqs:DeleteMessage", "bus"): lambda site: (
        site.made.send_message(QueueUrl=site.url, MessageBody="{}"),
        messages.receive(site.url, 1),
    ),
    ("sqs:GetQueueAttributes", "bus"): sweep,
    ("sqs:DeleteQueue", "bus"): lambda site: queues.delete(site.url),
    ("sqs:ListQueues", "all"): lambda _: queues.names("x"),
    ("s3:PutObject", "files"): lambda site: site.files.save(FILE, ContentFile(b"x")),
    ("s3:GetObject", "files"): lambda site: site.files.open(FILE).read(),
    ("s3:DeleteObject", "files"): lambda site: site.files.delete(FILE),
    ("s3:PutObject", "doctor"): lambda site: site.files.save("doctor/x", ContentFile(b"x")),
    ("s3:DeleteObject", "doctor"): lambda site: site.files.delete("doctor/x"),
    ("s3:ListBucket", "bucket"): lambda site: site.files.open("no such file").read(),
}
# Dead letters go back by boto3.
OF_A_ROLE: dict[tuple[str, str], Callable[[Site], Any]] = {
    ("monitor", "sqs:SendMessage"): lambda site: moving.send_again(site.sqs, site.url, site.filled()),
}


def kind(right: Right) -> str:
    if right.resource.endswith("/doctor/*"):
        return "doctor"
    if right.action.startswith("s3:"):
        return "files" if right.resource.endswith("/*") else "bucket"
    if right.resource == "*":
        return "all"
    name = right.resource.rpartition(":")[2].removeprefix(f"{STACK}-")
    return "bus" if name.startswith("monitor") else "dlq" if name.endswith("-dlq") else "lane"


def arn(site: Site) -> str:
    return control.arn(site.made, site.url)


@pytest.fixture(scope="module")
def gate(cloud: Cloud, outputs: dict[str, str]) -> Iterator[Gate]:
    made = Gate(cloud, roles(cloud, outputs))
    yield made
    made.close()


@pytest.fixture
def site_of(
    role: str, cloud: Cloud, outputs: dict[str, str], gate: Gate, *, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[Callable[[Right], Site]]:
    """What the test's role finds where it uses a right."""
    for name, value in (("AWS_ENDPOINT_URL_SQS", gate.endpoint_url), ("AWS_SECRET_ACCESS_KEY", "secret")):
        monkeypatch.setenv(name, value)
    base = outputs["IncomingQueueUrl"].removesuffix("incoming")
    settings.SQS_MONITOR_QUEUE_URL = f"{base}monitor"
    operator, s3, bucket = cloud.client("sqs"), cloud.client("s3"), outputs["MediaBucketName"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", role)
    forget()
    client = Client.configured(REGION)
    files = MediaBucket(**media_storage(Path("x"), bucket, "", gate.endpoint_url, REGION)["OPTIONS"])

    def site(right: Right) -> Site:
        access_denied.reset()
        name = right.resource.rpartition(":")[2].removeprefix(f"{STACK}-").replace("*", "x")
        url = base + name
        if kind(right) == "bus":
            operator.create_queue(QueueName=url.rpartition("/")[2])
        if kind(right) == "files":
            s3.put_object(Bucket=bucket, Key=FILE, Body=b"x")
        gate.refused[role].clear()
        return Site(operator, lambda: bool(gate.refused[role]), url, control.client(REGION), client, files)

    yield site
    forget()


def forget() -> None:
    """Clients read the credentials once."""
    control.client.cache_clear()
    messages._client.cache_clear()


@pytest.mark.slow("takes away each IAM right in turn")
@pytest.mark.parametrize("role", PROCESSES)
def test_each_right_is_used_and_named_with_the_document_where_it_is_missing(
    role: str, gate: Gate, site_of: Callable[[Right], Site], caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[str] = []
    for right in sorted(gate.allowed[role], key=lambda each: (each.action, each.resource)):
        if right.action in NOT_LOCAL:
            continue
        operation = OF_A_ROLE.get((role, right.action)) or OPERATIONS[right.action, kind(right)]
        gate.used[role].clear()
        caplog.clear()
        attempt(operation, site_of(right))
        if right not in gate.used[role] or denied(caplog):
            faults.append(f"with {right}: {denied(caplog)}")
        caplog.clear()
        with gate.without(role, right.__eq__):
            attempt(operation, site_of(right))
        lines = denied(caplog)
        if len(lines) != 1 or right.action not in lines[0] or access_denied.DOCUMENT not in lines[0]:
            faults.append(f"without {right}: {lines}")
    assert faults == []


def attempt(operation: Callable[[Site], Any], site: Site) -> None:
    """A refusal is an error of many classes; the table asks what the log says."""
    with contextlib.suppress(Exception):
        operation(site)


def denied(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == access_denied.__name__]
