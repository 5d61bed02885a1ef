"""The server as a process, and its control paths as methods."""

import json
import subprocess
import sys
import urllib.request
from typing import Any

from testkit.ports import free_ports
from testkit.processes import CHECKOUT
from testkit.sqs_server.actions import ACCOUNT
from testkit.waiting import eventually

START_S = 20.0


class SqsServer:
    """`with SqsServer() as server: server.endpoint`. The process ends with its parent, however that ends."""

    def __init__(self, latency_ms: float = 0.0, port: int | None = None) -> None:
        self.port = port or free_ports(["sqs"])["sqs"]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "testkit.sqs_server", "--port", str(self.port)]
        self._command += ["--latency-ms", str(latency_ms)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SqsServer":
        self._process = subprocess.Popen(self._command, cwd=CHECKOUT)
        if not eventually(self._answers, START_S, 0.05):
            self.__exit__()
            raise RuntimeError("The fake SQS server did not start.")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()

    def url(self, queue: str) -> str:
        """A queue's URL."""
        return f"{self.endpoint}/{ACCOUNT}/{queue}"

    def create_queue(self, name: str, **attributes: str) -> str:
        """Make a queue and return its URL."""
        self._call("CreateQueue", {"QueueName": name, "Attributes": attributes})
        return self.url(name)

    def send(self, queue_url: str, body: str) -> None:
        """Put a message on a queue."""
        self._call("SendMessage", {"QueueUrl": queue_url, "MessageBody": body})

    def counts(self) -> dict[str, Any]:
        """{requests: {action: n}, messages: {action: n}, empty_receives, queues: {name: {waiting, in_flight, …}},
        lost, doubled, broken_connections}.

        `most_receives` of a queue: the highest receive count of one of its messages. `lost` and `doubled`: messages
        since the start that a fault hit.
        """
        return self._control("counts")

    def zero(self) -> None:
        """Count requests and messages from now on."""
        self._control("zero")

    def set_latency(self, ms: float) -> None:
        """Answer this much later."""
        self._control(f"latency?ms={ms}")

    def away(self, seconds: float) -> None:
        """Break all connections and refuse new ones for this long."""
        self._control(f"away?s={seconds}")

    def lose(self, queue_suffix: str) -> None:
        """Accept and drop what is sent to queues whose name ends so; an empty suffix ends that."""
        self._control(f"loses?queue={queue_suffix}")

    def double(self, on: bool) -> None:
        """Deliver every message twice."""
        self._control(f"doubles?on={int(on)}")

    def forget(self) -> None:
        """Drop all messages and end all faults."""
        self._control("forget")

    def _answers(self) -> bool:
        try:
            self.counts()
        except OSError:
            return False
        return True

    def _control(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint}/_control/{path}", timeout=10) as answer:
            return dict(json.load(answer))

    def _call(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self.endpoint, json.dumps(parameters).encode(), {"X-Amz-Target": f"AmazonSQS.{action}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))
