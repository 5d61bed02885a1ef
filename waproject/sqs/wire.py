"""SQS's JSON protocol over HTTP: one signed request and its answer or error, without boto3.

A boto3 call costs more CPU than the rest of a webhook. botocore still finds and refreshes the credentials (environment,
profile, role, container).
"""

import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.configprovider import ConfiguredEndpointProvider
from botocore.session import Session

from waproject.sqs import access_denied, request_observer
from waproject.sqs.connections import ConnectionFailed, Connections, Origin
from waproject.sqs.signing import Signer

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH_ENTRIES = 10
MAX_BATCH_BYTES = 1024 * 1024

HTTP_OK = 200
HTTP_TOO_MANY_REQUESTS = 429
HTTP_SERVER_ERROR = 500
# The credentials have expired; new ones may be available.
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"}
THROTTLED = {
    "ThrottlingException",
    "Throttling",
    "RequestThrottled",
    "TooManyRequestsException",
    "RequestThrottledException",
    "KmsThrottled",
}
RETRYABLE = THROTTLED | EXPIRED


class SqsError(Exception):
    """A failed SQS request. `code`: SQS's error code, or the reason why no request was made."""

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code if status is None else f"{code} (HTTP {status})")
        self.code = code
        self.status = status


class Unavailable(SqsError):
    """SQS is unreachable or overloaded, did not answer in time, or the credentials expired: a retry may succeed."""


class Refused(SqsError):
    """SQS refused the request, e.g. no such queue, no permission, an invalid body: a retry fails too."""


@dataclass(slots=True)
class Client:
    """Signed requests to SQS from any number of threads, also after a fork.

    endpoint_url: None for the host in each queue's URL.
    counted_as: the queue name in request metrics, instead of each queue's own.
    """

    region: str
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    counted_as: str | None = None
    _credentials: Any = None
    # By URL.
    _servers: dict[str, tuple[Connections, Signer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def configured(cls, region: str) -> "Client":
        """A client with botocore's configured endpoint and CA bundle."""
        session = Session(include_builtin_handlers=False)  # they are for requests, and take most of its time
        endpoint = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), "sqs").provide()
        return cls(region, endpoint, session.get_config_variable("ca_bundle"))

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Make one request, without retries, within `timeout` seconds. Raises Unavailable or Refused."""
        queue = self.counted_as or parameters["QueueUrl"]
        try:
            answer = self._call(action, parameters, timeout)
        except SqsError as error:
            request_observer.requested(queue, action, type(error).__name__.lower())
            access_denied.report("sqs", action, parameters["QueueUrl"], error.code)
            raise
        request_observer.requested(queue, action, "ok")
        if messages := _messages_in(action, parameters, answer):
            request_observer.handled(queue, action.removesuffix("Batch"), messages)
        return answer

    def _call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        url = self.endpoint_url or "{0.scheme}://{0.netloc}".format(urlsplit(parameters["QueueUrl"]))
        url = url.rstrip("/") + "/"
        body = json.dumps(parameters).encode()
        connections, signer = self._server(url)
        headers = signer.headers(self._frozen_credentials(), action, body)
        try:
            status, answer = connections.post(headers, body, timeout)
        except ConnectionFailed as error:
            raise Unavailable(str(error)) from None
        try:
            return _answer(status, answer)
        except Unavailable as error:
            if error.code in EXPIRED:
                self._credentials = None  # the next request looks them up again: a file may have changed
            raise

    def _frozen_credentials(self) -> Any:
        """The current credentials, refreshed if they are due."""
        try:
            credentials = self._credentials
            if credentials is None:
                with self._lock:
                    credentials = self._credentials = self._credentials or Session().get_credentials()
            frozen = credentials and credentials.get_frozen_credentials()
        except Exception as error:  # each credential provider raises its own exceptions
            raise Unavailable(type(error).__name__) from None
        if frozen is None:
            raise Refused("NoCredentialsError")
        return frozen

    def _server(self, url: str) -> tuple[Connections, Signer]:
        if url not in self._servers:
            origin = Origin.of(url)
            self._servers[url] = Connections(origin, self.ca_bundle), Signer(url, origin.host_header, self.region)
        return self._servers[url]


def _messages_in(action: str, parameters: dict[str, Any], answer: dict[str, Any]) -> int:
    """The number of messages that a request received, sent, deleted or changed successfully."""
    if action == "ReceiveMessage":
        return len(answer.get("Messages") or ())
    if "Entries" in parameters:
        return len(parameters["Entries"]) - len(answer.get("Failed") or ())
    return 1 if action in {"SendMessage", "DeleteMessage", "ChangeMessageVisibility"} else 0


def _answer(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body or b"{}")
    except ValueError:
        answer = None
    if status == HTTP_OK and isinstance(answer, dict):
        return answer
    code = str(answer.get("__type", "")).rpartition("#")[2] if isinstance(answer, dict) else ""
    if status >= HTTP_SERVER_ERROR or status in {HTTP_OK, 408, HTTP_TOO_MANY_REQUESTS} or code in RETRYABLE:
        raise Unavailable(code or "no JSON answer", status)
    raise Refused(code or "no reason given", status)
