"""What the roles of a stack allow, and a gate before SQS and S3 that holds each process to its role.

A process signs with its role's name as access key. The gate reads it from the signature, refuses what the role does not
allow as AWS would, and remembers each request with the statement that allowed it.
"""

import contextlib
import http
import json
import re
import select
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from testkit.forwarding import Forwarder, Listener
from tests.deploy.aws.templates import ACCOUNT, REGION, Cloud

# IAM knows no action for a batch: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
BATCH = "Batch"
S3_ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/(\w+)/")


@dataclass(frozen=True, slots=True)
class Right:
    """One action on one resource; in a policy the resource may be a pattern."""

    action: str
    resource: str

    def covers(self, asked: "Right") -> bool:
        """Whether a policy with this right allows what is asked for."""
        return self.action == asked.action and fnmatchcase(asked.resource, self.resource)


def rights(policies: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
    """All that policy documents allow, one by one."""
    found = set[Right]()
    for policy in policies:
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            actions, resources = statement["Action"], statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                for resource in [resources] if isinstance(resources, str) else resources:
                    found.add(Right(action, resource))
    return frozenset(found)


def roles(cloud: Cloud, outputs: Mapping[str, str]) -> dict[str, frozenset[Right]]:
    """The rights of each process's role, as IAM has them."""
    iam = cloud.client("iam")
    return {
        key.removesuffix("RoleArn").lower(): rights(_policies(iam, arn.rpartition("/")[2]))
        for key, arn in outputs.items()
        if key.endswith("RoleArn")
    }


def _policies(iam: Any, role: str) -> Iterator[Mapping[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


class Gate:
    """Forwards to a cloud what the caller's role allows; serves from threads of the process that made it."""

    def __init__(self, cloud: Cloud, allowed: Mapping[str, frozenset[Right]]) -> None:
        self.allowed = dict(allowed)
        self.used: dict[str, set[Right]] = {role: set() for role in allowed}
        self.refused: dict[str, set[Right]] = {role: set() for role in allowed}
        self.away: Counter[str] | None = None
        self._lock = threading.Lock()
        gate = self

        class Handler(_Handler):
            owner = gate
            target = cloud.server.port

        self._server = Listener(("127.0.0.1", 0), Handler)
        self.endpoint_url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    @contextlib.contextmanager
    def without(self, role: str, lacking: Callable[[Right], bool]) -> Iterator[None]:
        """The role lacks these rights for a while; what is refused then is not recorded."""
        before, refused = self.allowed[role], set(self.refused[role])
        self.allowed[role] = frozenset(right for right in before if not lacking(right))
        try:
            yield
        finally:
            self.allowed[role], self.refused[role] = before, refused

    @contextlib.contextmanager
    def outage(self) -> Iterator[Counter[str]]:
        """SQS answers 503 for a while; how often by role."""
        self.away = hits = Counter[str]()
        try:
            yield hits
        finally:
            self.away = None

    def allows(self, role: str, asked: Right) -> bool:
        """Whether the role may, which is written down."""
        with self._lock:
            covering = {right for right in self.allowed.get(role, ()) if right.covers(asked)}
            if covering:
                self.used[role] |= covering
            else:
                self.refused.setdefault(role, set()).add(asked)
            return bool(covering)


class _Handler(Forwarder):
    owner: Gate

    def _serve(self) -> None:
        announced = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(announced)
        if len(body) < announced:  # the process ended in the middle of its request
            self.close_connection = True
            return
        signed = CREDENTIAL.search(self.headers.get("Authorization", ""))
        role, service = signed.groups() if signed else ("nobody", "")
        if service == "sqs" and self.owner.away is not None:
            self.owner.away[role] += 1
            self._answer(503, {}, b"")
            return
        asked = self._asked(body) if service == "sqs" else self._asked_of_s3()
        if self.owner.allows(role, asked):
            self._forward(body, role)
        elif service == "sqs":
            self._answer(400, {}, json.dumps({"__type": "AccessDeniedException", "message": "not allowed"}).encode())
        else:
            self._answer(403, {}, b"<Error><Code>AccessDenied</Code></Error>")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def _asked(self, body: bytes) -> Right:
        action = self.headers["X-Amz-Target"].partition(".")[2].removesuffix(BATCH)
        about = json.loads(body or b"{}")
        if action == "ListQueues":
            return Right(f"sqs:{action}", "*")
        name = str(about.get("QueueName") or about.get("QueueUrl") or about.get("SourceArn") or "")
        return Right(f"sqs:{action}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{re.split('[/:]', name)[-1]}")

    def _asked_of_s3(self) -> Right:
        return Right(S3_ACTIONS.get(self.command, self.command), f"arn:aws:s3:::{urlsplit(self.path).path.lstrip('/')}")

    def _forward(self, body: bytes, role: str) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        if self.behind.sock and select.select([self.behind.sock], [], [], 0)[0]:
            self.behind.close()  # the cloud has closed it, as it was idle
        self.behind.request(self.command, self.path, body, headers)
        answer = self.behind.getresponse()
        content, status = answer.read(), answer.status
        if self.command in {"GET", "HEAD"} and status == http.HTTPStatus.NOT_FOUND and not self._may_list(role):
            # S3 does not tell who may not list a bucket whether it has a file.
            status = http.HTTPStatus.FORBIDDEN
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
        self._answer(status, kept, content)

    def _may_list(self, role: str) -> bool:
        bucket = urlsplit(self.path).path.split("/")[1]
        return self.owner.allows(role, Right("s3:ListBucket", f"arn:aws:s3:::{bucket}"))

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not (self.command == "HEAD" and any(name.lower() == "content-length" for name in headers)):
            self.send_header("Content-Length", str(len(content)))
        with contextlib.suppress(OSError):
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
