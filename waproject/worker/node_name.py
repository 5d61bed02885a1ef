"""Node names, unique on a host and stable across restarts."""

import fcntl
import hashlib
import os
import tempfile
from itertools import count
from pathlib import Path

# Open until the process exits; the kernel then releases the locks, also after a kill.
_held: list[int] = []


def free_name(lane: str, queue_url: str, directory: Path | None = None) -> str:
    """`outgoing` for the first worker of this queue on this host, `outgoing-2` for the second one, and so on.

    A name is free again once its worker has ended. directory: of the lock files, by default the system's temporary
    one. Containers do not share that one, but each has its own host name.
    """
    directory = directory or Path(tempfile.gettempdir())
    # Two deployments on one host use different names, as they use different buses.
    queue = hashlib.sha256(queue_url.encode()).hexdigest()[:12]
    for number in count(1):
        name = lane if number == 1 else f"{lane}-{number}"
        path = directory / f"waproject-{os.getuid()}-{queue}-{name}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            # Not flock: forked children would inherit the lock, and they outlive a killed parent.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(lock)
            continue
        _held.append(lock)
        return name
    raise AssertionError
