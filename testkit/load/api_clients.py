"""Clients of the API: each writes to recipients of its own and repeats a request until it is answered."""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import requests

# No two messages of a run go to one recipient, so a recipient with two sends proves a double.
_RECIPIENTS = count(1)
TRICKLE_PER_S = 5
CLIENTS = 4
TRICKLES = 2
REQUESTS = 100
ANSWER_S = 5.0
AGAIN_S = 0.25
GIVE_UP_S = 120.0
# One request in this many is repeated although it was answered.
REPEAT_EVERY = 10


def recipients(number: int) -> list[str]:
    """So many new phone numbers, digits only."""
    return [f"1555{2_000_000 + next(_RECIPIENTS)}" for _ in range(number)]


class Client:
    """One connection to the API."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def send(self, to: Sequence[str], **fields: object) -> float:
        """Send one message to each recipient in one request; repeat it, with its key, until it is answered 202.

        Returns the time of that answer in unix seconds. Raises RuntimeError when the API refuses it or never answers.
        """
        bodies = [
            {"phone_number": f"+{number}", "message_type": "text", "message_data": {"content": "Hello!"}, **fields}
            for number in to
        ]
        path, body = ("/messaging/send", bodies[0]) if len(to) == 1 else ("/messaging/send/bulk", {"messages": bodies})
        key, until = str(uuid.uuid4()), time.monotonic() + GIVE_UP_S
        while not self._accepted(path, body, key):
            if time.monotonic() > until:
                raise RuntimeError(f"the API did not answer within {GIVE_UP_S:.0f} s")
            time.sleep(AGAIN_S)
        answered = time.time()
        if uuid.UUID(key).int % REPEAT_EVERY == 0:
            self._accepted(path, body, key)
        return answered

    def _accepted(self, path: str, body: object, key: str) -> bool:
        headers = {"Idempotency-Key": key}
        try:
            answer = self._session.post(self._base_url + path, json=body, headers=headers, timeout=ANSWER_S)
        except requests.RequestException:
            return False
        if 400 <= answer.status_code < 500:  # noqa: PLR2004 - the class of HTTP statuses itself
            raise RuntimeError(f"the API refused a request: {answer.status_code} {answer.text[:300]}")
        return answer.status_code == 202  # noqa: PLR2004


class ClientLoad:
    """Clients that together send `messages` within `seconds`, and two more that send slowly until `stop`.

    accepted: the recipients whose message was answered 202. open_requests: requests that wait for an answer.
    """

    def __init__(self, base_url: str, api_key: str, messages: int, seconds: float) -> None:
        self._base_url, self._api_key = base_url, api_key
        size = max(1, messages // REQUESTS)
        to = recipients(messages)
        self._requests = [to[start : start + size] for start in range(0, messages, size)]
        self._every = seconds / len(self._requests)
        self._lock = threading.Lock()
        self._next = 0
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS + TRICKLES)
        self._clients: list[Future[None]] = []
        self._trickles: list[Future[None]] = []
        self.accepted: set[str] = set()
        self.open_requests = 0

    def start(self) -> None:
        """Start all clients."""
        self._started = time.monotonic()
        self._clients = [self._pool.submit(self._guarded, self._client) for _ in range(CLIENTS)]
        self._trickles = [self._pool.submit(self._guarded, self._trickle) for _ in range(TRICKLES)]

    def wait(self) -> None:
        """Wait until all messages, except the slow clients', are answered. Raises a client's exception."""
        for client in self._clients:
            client.result()

    def stop(self) -> None:
        """Stop all clients. Raises a client's exception."""
        self._stopped.set()
        self._pool.shutdown()
        for client in (*self._clients, *self._trickles):
            client.result()

    def _guarded(self, work: Callable[[Client], None]) -> None:
        """Run a client; its exception stops all clients, so that `wait` and `stop` raise it."""
        try:
            work(Client(self._base_url, self._api_key))
        except BaseException:
            self._stopped.set()
            raise

    def _client(self, client: Client) -> None:
        while not self._stopped.is_set():
            with self._lock:
                index, self._next = self._next, self._next + 1
            if index >= len(self._requests):
                return
            self._stopped.wait(self._started + index * self._every - time.monotonic())
            self._send(client, self._requests[index])

    def _trickle(self, client: Client) -> None:
        every = TRICKLES / TRICKLE_PER_S
        while not self._stopped.wait(every - (time.monotonic() - self._started) % every):
            self._send(client, recipients(1))

    def _send(self, client: Client, to: Sequence[str]) -> None:
        with self._lock:
            self.open_requests += 1
        try:
            client.send(to)
        finally:
            with self._lock:
                self.open_requests -= 1
        with self._lock:
            self.accepted.update(to)
