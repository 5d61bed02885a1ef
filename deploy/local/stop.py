"""`make stop`: ends the run of this VAR_DIR, also one whose `make run` was killed."""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from deploy.local.orphans import end_orphans
from deploy.local.plan import holder
from deploy.local.supervisor import Supervisor

TIMEOUT = 15


def main() -> int:
    """Stop this VAR_DIR's run and print the result; it is no error if nothing runs."""
    var = (Path.cwd() / (os.environ.get("VAR_DIR") or "var")).resolve()
    try:
        return _stop_any(var)
    except OSError as error:
        print(f"The run in {var} cannot be stopped ({error.strerror}): is it another user's?", file=sys.stderr)
        return 1


def _stop_any(var: Path) -> int:
    if not var.exists():
        print("Nothing runs here.")
        return 0
    supervisor = Supervisor(var, Path.cwd())
    for pid in (holder(var), supervisor.pid()):
        if pid is not None:
            return _stop(pid, var)
    count = end_orphans(var)
    print(f"Stopped {count} processes that were left over." if count else "Nothing runs here.")
    return 0


def _stop(pid: int, var: Path) -> int:
    with suppress(ProcessLookupError):  # it ends at this moment
        os.kill(pid, signal.SIGTERM)
    supervisor = Supervisor(var, Path.cwd())
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if pid not in (holder(var), supervisor.pid()):
            end_orphans(var)
            supervisor.remove_socket()
            (var / "local.env").unlink(missing_ok=True)
            print("Stopped.")
            return 0
        time.sleep(0.1)
    print(f"Process {pid} did not stop within {TIMEOUT} s.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
