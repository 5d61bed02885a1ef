"""The server as a process of its own, for whoever measures or tests."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

from bench.sqs_server.actions import ACCOUNT


class SqsServer:
    """`with SqsServer() as server: server.endpoint`."""

    def __init__(self, latency_ms: float = 0.0) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "bench.sqs_server", "--port", str(self.port)]
        self._command += ["--latency-ms", str(latency_ms)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SqsServer":
        self._process = subprocess.Popen(self._command)
        for _ in range(200):
            try:
                self.counts()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        raise RuntimeError("The bench's SQS server did not start.")

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()

    def url(self, queue: str) -> str:
        """A queue's URL."""
        return f"{self.endpoint}/{ACCOUNT}/{queue}"

    def create_queue(self, name: str, **attributes: str) -> str:
        """Make a queue and return its URL."""
        self._ask("CreateQueue", {"QueueName": name, "Attributes": attributes})
        return self.url(name)

    def counts(self) -> dict[str, Any]:
        """{requests: {action: n}, messages: {action: n}, empty_receives, queues: {name: {waiting, in_flight, …}}}.

        `most_receives` of a queue: how often the message was received that was received most often.
        """
        return self._control("counts")

    def zero(self) -> None:
        """Count from now on."""
        self._control("zero")

    def set_latency(self, ms: float) -> None:
        """Answer so much later."""
        self._control(f"latency?ms={ms}")

    def _control(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint}/_bench/{path}", timeout=10) as answer:
            return dict(json.load(answer))

    def _ask(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self.endpoint, json.dumps(parameters).encode(), {"X-Amz-Target": f"AmazonSQS.{action}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))
