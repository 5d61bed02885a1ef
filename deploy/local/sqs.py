"""An SQS (and SNS) server on 127.0.0.1 whose queues and messages outlive a restart.

`python -m deploy.local.sqs` becomes the server on SQS_PORT, with its state in VAR_DIR/sqs. The state is written when
the server is asked to stop (SIGTERM). After a SIGKILL it is back in the state that it had at its last start: what was
sent since then is lost, what was deleted since then is back, and a first run has no queues until they are made again.
"""

import http.client
import json
import os
import re
import sys
from pathlib import Path

from deploy.local.server import Server

# ministack keys its queues by URLs that hold the port it had when they were made.
STORED_URL = re.compile(r"http://127\.0\.0\.1:\d+/(?=\d{12}/)")
# Its web server grants open requests 3 s when it stops. Those are long polls of workers that have ended before, and the
# state is only written afterwards.
PROGRAM = "from hypercorn.config import Config; Config.graceful_timeout = 0.2; from ministack.app import main; main()"


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
            # At its start it removes containers that it takes for its own: keep it from any Docker daemon.
            "DOCKER_HOST": f"unix://{self.state_dir}/no-docker",
            # For its pid file, which is named after the port alone.
            "TMPDIR": str(self.state_dir),
        }

    def prepare(self) -> None:
        """Make the state directory; move the stored queues to this port when they were made on another one."""
        self.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for state in self.state_dir.glob("*.json"):
            before = state.read_text()
            after = STORED_URL.sub(f"{self.endpoint_url}/", before)
            if after != before:
                draft = state.with_suffix(".moved")
                draft.write_text(after)
                draft.replace(state)

    def command(self) -> list[str]:
        return [sys.executable, "-c", PROGRAM]

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
