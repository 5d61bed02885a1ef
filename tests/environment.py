"""The environment of the tests: free ports, own directories, own secrets, nothing of the caller's.

pytest loads this as a plugin before Django reads its settings. `python -m tests.environment COMMAND …` runs a command
in such an environment: mypy's Django plugin and `makemigrations --check` need settings, and no server.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from testkit.ports import free_port

PREFIXES = ("AWS_", "SQS_", "WA_", "DJANGO_", "DATABASE_", "INCOMING_", "OUTGOING_", "ANALYTICS_", "FLOWER_")
DATABASE_PASSWORD = "test-password"
APP_SECRET = "test-app-secret"
VERIFY_TOKEN = "test-verify-token"
PHONE_NUMBER_ID = "106540352242922"
# A whole run writes some 500 MB with four workers.
ROOM_BYTES = 3 * 2**30


def _keep_bytecode() -> None:
    """Compile each module once, whatever the caller's shell says.

    The suite starts some 200 interpreters, and pytest rewrites its 350 files in each of its workers.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _directory() -> str | None:
    """In memory, where there is room: each PostgreSQL copies and deletes 1,300 files, 0.5 s of CPU time on a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a directory of its own
    if os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free > ROOM_BYTES:
        return str(memory)
    return None


def _set_up() -> Path:
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        del os.environ[name]
    var = Path(tempfile.mkdtemp(prefix="waproject-tests-", dir=_directory()))
    sqs = f"http://127.0.0.1:{free_port()}"
    queues = {
        f"SQS_{lane.upper()}_{kind}_URL": f"{sqs}/000000000000/test-{lane}{suffix}"
        for lane in ("incoming", "outgoing", "analytics")
        for kind, suffix in (("QUEUE", ""), ("DLQ", "-dlq"))
    }
    os.environ.update(
        queues,
        DEPLOYMENT="local",
        DJANGO_SETTINGS_MODULE="waproject.settings",
        DJANGO_SECRET_KEY="only-for-tests-" + "x" * 40,
        DJANGO_ALLOWED_HOSTS="testserver,127.0.0.1",
        VAR_DIR=str(var),
        DATABASE_URL=f"postgres://waproject:{DATABASE_PASSWORD}@127.0.0.1:{free_port()}/waproject",
        AWS_REGION="us-east-1",
        AWS_ENDPOINT_URL_SQS=sqs,
        WA_GRAPH_URL=f"http://127.0.0.1:{free_port()}",
        WA_PHONE_NUMBER_ID=PHONE_NUMBER_ID,
        WA_ACCESS_TOKEN="test-access-token",
        WA_APP_SECRET=APP_SECRET,
        WA_WEBHOOK_VERIFY_TOKEN=VERIFY_TOKEN,
    )
    return var


def _take_interrupts() -> None:
    """A shell without job control starts what runs in its background with SIGINT ignored, and so would all processes
    of the tests, which send it to them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_keep_bytecode()
_take_interrupts()
VAR_DIR = _set_up()
# Of the process that started the run, for all of its workers.
SHARED_DIR = Path(os.environ.setdefault("TESTS_SHARED_DIR", str(VAR_DIR)))

if __name__ == "__main__":
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
