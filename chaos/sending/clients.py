"""Clients of the API: each has messages for recipients of its own, and repeats a request until it is answered."""

import threading
import time
import uuid
from collections.abc import Sequence
from itertools import count

import requests

# No two messages of a run go to one recipient, so that a recipient who got two tells of a double, however it came.
_RECIPIENTS = count(1)
TRICKLE_PER_S = 5
CLIENTS = 4
REQUESTS = 100
ANSWER_S = 5.0
AGAIN_S = 0.25
GIVE_UP_S = 120.0
# Now and then a client repeats a request although it was answered.
REPEAT_EVERY = 10


def recipients(number: int) -> list[str]:
    """So many phone numbers, digits only, that nobody wrote to before."""
    return [f"1555{2_000_000 + next(_RECIPIENTS)}" for _ in range(number)]


class Client:
    """A connection to the API."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def send(self, to: Sequence[str], **fields: str) -> float:
        """Have one message sent to each, in one request; repeat it, with its key, until it is answered 202.

        Returns the time of that answer, in unix seconds. Raises RuntimeError when the API refuses it, or never answers.
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


class Load:
    """Several clients that together ask for `messages` within `seconds`, and one that trickles until it is told.

    `accepted` has the recipients whose message the API answered with 202.
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
        self.accepted: set[str] = set()
        self.errors: list[str] = []
        self._clients = [threading.Thread(target=self._guarded, args=(self._client,)) for _ in range(CLIENTS)]
        self._trickles = [threading.Thread(target=self._guarded, args=(self._trickle,)) for _ in range(2)]

    def start(self) -> None:
        """Begin."""
        self._started = time.monotonic()
        for thread in (*self._clients, *self._trickles):
            thread.daemon = True
            thread.start()

    def wait(self) -> None:
        """Until all is asked for and answered, but for the trickle."""
        for thread in self._clients:
            thread.join()

    def stop(self) -> None:
        """End the trickle, and what is left of the rest. Raises RuntimeError when the API refused something."""
        self._stopped.set()
        for thread in (*self._clients, *self._trickles):
            thread.join()
        if self.errors:
            raise RuntimeError(self.errors[0])

    def _guarded(self, work: "threading.Thread | object") -> None:
        try:
            work()  # type: ignore[operator]
        except RuntimeError as error:
            self.errors.append(str(error))

    def _client(self) -> None:
        client = Client(self._base_url, self._api_key)
        while not self._stopped.is_set():
            with self._lock:
                index, self._next = self._next, self._next + 1
            if index >= len(self._requests):
                return
            self._stopped.wait(self._started + index * self._every - time.monotonic())
            self._ask(client, self._requests[index])

    def _trickle(self) -> None:
        client = Client(self._base_url, self._api_key)
        every = len(self._trickles) / TRICKLE_PER_S
        while not self._stopped.wait(every - (time.monotonic() - self._started) % every):
            self._ask(client, recipients(1))

    def _ask(self, client: Client, to: Sequence[str]) -> None:
        client.send(to)
        with self._lock:
            self.accepted.update(to)
