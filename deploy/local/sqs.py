"""An SQS (and SNS) server on 127.0.0.1 whose queues and messages survive a restart.

`python -m deploy.local.sqs` becomes the server on SQS_PORT, with its state in VAR_DIR/sqs. The server writes its state
on SIGTERM. After a SIGKILL it has the state of its last start: later messages are lost, deleted ones are back, and
after a first run the queues must be created again.
"""

import http.client
import json
import os
import re
import sys
from pathlib import Path

from deploy.local.server import Server

# ministack stores its queues by URLs with the port at their creation.
STORED_URL = re.compile(r"http://127\.0\.0\.1:\d+/(?=\d{12}/)")
# Run by its path: -P keeps its folder out of sys.path, whose modules are named like those of others.
PROGRAM = Path(__file__).with_name("sqs_program.py")


class Sqs(Server):
    """One ministack process that opens no other port and asks no Docker daemon; by default with SQS and SNS alone."""

    name = "The SQS server"

    def __init__(self, state_dir: Path, port: int, services: str = "sqs,sns") -> None:
        self.state_dir = state_dir.absolute()
        super().__init__(self.state_dir.with_name(f"{self.state_dir.name}.log"))
        self.port = port
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self.env = os.environ | {
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SERVICES": services,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state_dir),
            "LOG_LEVEL": "WARNING",
            "USE_SSL": "0",
            # Listeners of other services that would open ports on all addresses.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # At its start it removes Docker containers that it takes for its own: give it no Docker daemon.
            "DOCKER_HOST": f"unix://{self.state_dir}/no-docker",
            # For its pid file, which is named after the port alone.
            "TMPDIR": str(self.state_dir),
        }

    def prepare(self) -> None:
        """Create the state directory; rewrite stored queue URLs to this port."""
        self.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for state in self.state_dir.glob("*.json"):
            before = state.read_text()
            after = STORED_URL.sub(f"{self.endpoint_url}/", before)
            if after != before:
                draft = state.with_suffix(".moved")
                draft.write_text(after)
                draft.replace(state)

    def command(self) -> list[str]:
        return [sys.executable, "-P", str(PROGRAM)]

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            return "sqs" in json.load(connection.getresponse()).get("services", {})
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()


def main() -> None:
    """Prepare, then become the server."""
    server = Sqs(Path(os.environ["VAR_DIR"]) / "sqs", int(os.environ["SQS_PORT"]))
    server.prepare()
    command = server.command()
    os.execvpe(command[0], command, server.env)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
