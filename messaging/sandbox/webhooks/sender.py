"""Sends webhooks as Meta does: escaped JSON, signed over the exact bytes, retried until a 200."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from http import HTTPStatus
from typing import Any

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient
from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse

from ..delivery import Delivery

MAX_CONCURRENT = 50
FIRST_RETRY_SECONDS = 0.5
MAX_RETRY_SECONDS = 30.0
# About a quarter of an hour in all. Meta continues for 7 days; no run of the sandbox lasts that long.
MAX_ATTEMPTS = 36
_CONNECT_TIMEOUT_SECONDS = 3.0
_REQUEST_TIMEOUT_SECONDS = 10.0


class WebhookSender:
    """Delivers to one URL, a bounded number at a time; retries wait outside that bound, so order is not kept."""

    def __init__(self, url: str, app_secret: str) -> None:
        self._url = url
        self._secret = app_secret
        # Not the default client: that one opens a connection for each webhook and needs three times the CPU.
        self._client = CurlAsyncHTTPClient(max_clients=MAX_CONCURRENT, force_instance=True)
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: set[asyncio.Future[HTTPResponse]] = set()

    def send(self, payload: dict[str, Any]) -> Delivery:
        """Start the delivery of a webhook; returns at once. ``tried`` is set after the first attempt."""
        delivery = Delivery(encode(payload))
        self.start(delivery)
        return delivery

    def start(self, delivery: Delivery) -> None:
        """Start this delivery; returns at once."""
        task = asyncio.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Not in the task, which may be cancelled before it starts.
        task.add_done_callback(lambda _: delivery.tried.set())

    async def drop_pending(self, seconds: float | None) -> None:
        """Cancel webhooks without a 200 so far; waits this long, or to their end, for attempts that have begun."""
        for task in list(self._tasks):
            task.cancel()
        if self._attempts:
            await asyncio.wait(set(self._attempts), timeout=seconds)

    async def _deliver(self, delivery: Delivery) -> None:
        while delivery.attempts < MAX_ATTEMPTS:
            async with self._slots:
                await self._attempt(delivery)
            delivery.tried.set()
            if delivery.acknowledged_at is not None:
                return
            await asyncio.sleep(retry_seconds(delivery.attempts))

    async def _attempt(self, delivery: Delivery) -> None:
        delivery.attempts += 1
        delivery.http_status = None
        attempt = self._client.fetch(self._request(delivery.body), raise_error=False)
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempt_ended)
        try:
            # Shielded: a fetch cannot be cancelled, and Tornado logs one that fails after its future was cancelled.
            response = await asyncio.shield(attempt)
        except HTTPClientError:
            return  # refused, cut or timed out: raised in spite of raise_error, which is about answers
        delivery.http_status = response.code
        if response.code == HTTPStatus.OK:
            delivery.acknowledged_at = time.time()

    def _attempt_ended(self, attempt: asyncio.Future[HTTPResponse]) -> None:
        self._attempts.discard(attempt)
        # Retrieve the exception of an attempt that nothing awaits: asyncio logs exceptions that are never retrieved.
        if not attempt.cancelled():
            attempt.exception()

    def _request(self, body: bytes) -> HTTPRequest:
        return HTTPRequest(
            self._url,
            method="POST",
            body=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "facebookexternalua",
                "X-Hub-Signature-256": signature_of(body, self._secret),
            },
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            request_timeout=_REQUEST_TIMEOUT_SECONDS,
            follow_redirects=False,
            prepare_curl_callback=_without_proxy,
        )


def encode(payload: dict[str, Any]) -> bytes:
    r"""JSON as Meta transmits it: non-ASCII as ``\uXXXX`` and every ``/`` as ``\/``."""
    # Outside of strings JSON has no slash, so the replacement touches nothing else.
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signature_of(body: bytes, app_secret: str) -> str:
    """``sha256=`` and the HMAC-SHA256 of the bytes that travel, in lower-case hex."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def retry_seconds(attempts: int) -> float:
    """The wait after this many failed attempts: doubling, with a fifth of jitter either way."""
    wait = min(FIRST_RETRY_SECONDS * 2.0 ** (attempts - 1), MAX_RETRY_SECONDS)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret


def _without_proxy(curl: Any) -> None:
    # libcurl reads http_proxy from the environment; the webhook's target is on this machine.
    curl.setopt(pycurl.NOPROXY, "*")
