"""A process's heartbeat for its own container: a file that the process touches and a health check reads.

    python -m waproject.heartbeat                                       # exit status 0 while the process lives
    python -m waproject.heartbeat http://127.0.0.1:8000/health/live     # for one that serves HTTP: it answers 200

It checks neither SQS nor the database, since a restart repairs neither. It runs without Django, in 30 ms of CPU. The
directory for temporary files has to be writable; a read-only container needs a volume for it.
"""

import http.client
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

# A thread touches the file every 15 s (worker/liveness.py). In between it may block on an unresponsive database: 3 s
# for a connection, 30 s for a statement, 25 s for an unreachable host.
LATE_S = 90.0
TIMEOUT_S = 4.0


class Heartbeat:
    """One process's heartbeat file. Methods do not raise: a full or read-only directory must not end the process."""

    def __init__(self, kind: str, directory: Path | None = None) -> None:
        self._file = (directory or _directory()) / f"{kind}-{os.getpid()}"

    def beat(self) -> None:
        """Touch the file."""
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            self._file.touch(mode=0o600)

    def end(self) -> None:
        """Remove the file on a clean exit."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def fault(now: float, directory: Path | None = None) -> str:
    """Why this container's process is unhealthy, as a sentence; empty if it is healthy. now: a time.time().

    The newest of several files counts: a killed predecessor may have left one.
    """
    directory = directory or _directory()
    try:
        beats = [file.stat().st_mtime for file in directory.iterdir()]
    except OSError:
        beats = []
    if not beats:
        return f"No process has a heartbeat in {directory}: it has not started yet, or cannot write there."
    age = now - max(beats)
    if age > LATE_S:
        return f"The last heartbeat is {age:.0f} s old, more than {LATE_S:.0f} s: the process hangs."
    return ""


def http_fault(url: str) -> str:
    """Why the server is unhealthy, as a sentence; empty if it answers 200 within `TIMEOUT_S`."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {type(error).__name__}."
    finally:
        connection.close()
    return "" if status == http.client.OK else f"{url} answers {status}."


def _directory() -> Path:
    return Path(tempfile.gettempdir()) / f"waproject-heartbeats-{os.getuid()}"


def main(arguments: list[str]) -> int:
    """The exit status of the health check. Writes the reason to standard error."""
    sentence = http_fault(arguments[0]) if arguments else fault(time.time())
    if sentence:
        sys.stderr.write(f"{sentence}\n")
    return 1 if sentence else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
