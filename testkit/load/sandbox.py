"""The sandbox's control endpoints: settings, faults, and the ledger, an independent record of accepted sends."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from testkit.waiting import wait_until

ANSWER_S = 30


class FaultHits:
    """The number of calls that each fault hit, in order; set once the faults have ended."""

    def __init__(self) -> None:
        self.each: list[int] = []


class Sandbox:
    """The sandbox at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The JSON answer of one control endpoint, such as POST settings."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self._url}/_sandbox/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return json.load(answer)

    def ledger(self) -> list[dict[str, Any]]:
        """Every accepted send, in order: {wamid, to, biz_opaque_callback_data, received_at, accepted_at, …}."""
        return list(self.call("GET", "ledger")["messages"])

    def sends(self) -> Counter[str]:
        """How many sends each recipient got."""
        return Counter(entry["to"] for entry in self.ledger())

    def count(self) -> int:
        """How many sends were accepted."""
        return int(self.call("GET", "ledger?count_only=1")["count"])

    def wait_for(self, count: int, timeout: float) -> list[dict[str, Any]]:
        """The ledger, once it has `count` entries. Raises NotReady."""
        wait_until(lambda: self.count() >= count, f"{count} messages are sent", timeout, every=0.5)
        return self.ledger()

    @contextmanager
    def faults(self, number_id: str, faults: Sequence[dict[str, Any]]) -> Iterator[FaultHits]:
        """Inject these faults into the calls of a business number, and count their hits."""
        hits = FaultHits()
        for fault in faults:
            self.call("POST", "faults", {"phone_number_id": number_id, **fault})
        try:
            yield hits
        finally:
            hits.each = [int(fault["hits"]) for fault in self.call("GET", "faults")["faults"]]
            self.call("DELETE", "faults")
