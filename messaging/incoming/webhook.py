"""Meta's webhook: verify, enqueue, answer. No database query while SQS is up."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from messaging.incoming import store, tasks
from messaging.outgoing import record_rejected_webhook
from messaging.task_publisher import SqsUnavailable, publish, publish_many
from messaging.whatsapp.inbound import signature
from messaging.whatsapp.inbound.envelope import OBJECT
from messaging.whatsapp.inbound.splitting import size, split
from waproject.logs.throttle import LogThrottle
from waproject.metrics.counters import WEBHOOKS
from waproject.sqs.json_limits import INCOMING, excess, loads
from waproject.web.rejected_webhooks import keep_rejection, note_rejection, take_rejection

logger = logging.getLogger(__name__)

# In UTF-8. SQS takes 1 MiB; JSON inside JSON writes a two-byte letter as `\\\\u0416`, 3.5 times its size at worst.
TASK_BYTES = 256 * 1024
RETRY_AFTER_S = 30
UNSIGNED_LOG_EVERY_S = 60.0
_unsigned = LogThrottle(UNSIGNED_LOG_EVERY_S)


@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(View):
    """GET: Meta's verification handshake. POST: updates."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the challenge if the verify token matches. Meta does not sign this request."""
        token = request.GET.get("hub.verify_token", "")
        if request.GET.get("hub.mode") == "subscribe" and constant_time_compare(
            token, settings.WA_WEBHOOK_VERIFY_TOKEN
        ):
            return HttpResponse(request.GET.get("hub.challenge", ""), content_type="text/plain")
        return HttpResponse("The verify token does not match.", status=403, content_type="text/plain")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Call `accept_webhook`. In the web process the WSGI fast path (wsgi_fast_path.py) answers before Django."""
        answer = accept_webhook(request.body, request.headers.get(signature.HEADER, ""))
        return HttpResponse(answer.body, "application/json", answer.status, headers=answer.headers)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to Meta: status, detail of an error, and Retry-After in seconds."""

    status: int
    detail: str = ""
    retry_after_s: int | None = None

    @property
    def body(self) -> bytes:
        """JSON; empty without a detail."""
        return json.dumps({"detail": self.detail}).encode() if self.detail else b""

    @property
    def headers(self) -> dict[str, str]:
        """The headers other than those of the body."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}


def accept_webhook(raw: bytes, header: str) -> Answer:
    """200 once the updates are durable; 403 unsigned, 400 not JSON, 503 if SQS and database are both unavailable."""
    if not signature.is_signed(raw, header, (settings.WA_APP_SECRET, settings.WA_APP_SECRET_PREVIOUS)):
        WEBHOOKS.inc("unsigned")
        _log_unsigned()
        return Answer(403, f"{signature.HEADER} does not sign this body.")
    try:
        body = _parse(raw)
    except ValueError:
        WEBHOOKS.inc("not_json")
        return Answer(400, "The body is not JSON.")
    try:
        enqueue(body, len(raw))
    except (DatabaseError, InterfaceError) as error:
        WEBHOOKS.inc("not_taken")
        # Meta repeats the whole webhook for seven days; parts that were accepted are still stored once.
        note_rejection()
        logger.error("webhook rejected: SQS and the database are both unavailable (%s)", type(error).__name__)
        return Answer(503, "Not stored; try again.", RETRY_AFTER_S)
    except Exception:  # answered with a 500
        note_rejection()
        raise
    WEBHOOKS.inc("taken")
    _record_rejection()
    return Answer(200)


def _parse(raw: bytes) -> Any:
    """The JSON value. Over a limit, a change that holds the text and is stored as unknown: `field:over_limits`.

    A 4xx would make Meta repeat the webhook for seven days. Raises ValueError if the body is not JSON.
    """
    if (reason := excess(raw, INCOMING)) is None:
        return loads(raw)
    logger.warning("webhook over the limits for JSON: %s; stored as an unknown update", reason)
    change = {"field": "over_limits", "value": {"reason": reason, "text": raw.decode(errors="replace")}}
    return {"object": OBJECT, "entry": [{"changes": [change]}]}


@contextmanager
def _database() -> Iterator[None]:
    """Close broken connections before and after, as Django does around its own requests. The fast path does so only
    when it uses the database. Inside a transaction (in tests) there is nothing to close.
    """
    if connection.in_atomic_block:
        yield
        return
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def _log_unsigned() -> None:
    """Log at most once a minute: anyone can send unsigned requests, as many as they like."""
    if (others := _unsigned.admit()) is not None:
        logger.warning("webhook refused: signature missing or wrong (%d more since the last line)", others)


def _record_rejection() -> None:
    rejected_at = take_rejection()
    if rejected_at is None:
        return
    try:
        with _database():
            record_rejected_webhook(rejected_at)
    except (DatabaseError, InterfaceError):
        keep_rejection(rejected_at)


def enqueue(body: Any, length: int) -> None:
    """Enqueue a body of `length` bytes, split if large; without SQS, process it here.

    Raises django.db errors if the database is needed and unavailable.
    """
    if length <= TASK_BYTES:
        _queue(body)
        return
    pieces = split(body, TASK_BYTES)
    fitting = [piece for piece in pieces if size(piece) <= TASK_BYTES]
    for piece, taken in zip(fitting, publish_many(tasks.receive, [(piece,) for piece in fitting]), strict=True):
        if not taken:
            _receive(piece)
    for piece in pieces:
        if size(piece) > TASK_BYTES:
            _queue_by_id(piece)


def _queue(piece: Any) -> None:
    try:
        publish(tasks.receive, piece, wait_for_batch=True)
    except SqsUnavailable:
        _receive(piece)


def _receive(piece: Any) -> None:
    with _database():
        store.receive(piece)


def _queue_by_id(piece: Any) -> None:
    with _database():
        stored_id = store.store_body(piece)
        try:
            publish(tasks.receive_stored, stored_id)
        except SqsUnavailable:
            store.receive_stored(stored_id)
