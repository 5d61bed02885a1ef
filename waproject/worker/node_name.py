"""Node names that are unique on a host and stable across restarts."""

import fcntl
import hashlib
import os
import tempfile
from itertools import count
from pathlib import Path

# Held open for as long as the process lives: the kernel lets go of it, also after a kill.
_held: list[int] = []


def free_name(lane: str, queue_url: str, directory: Path | None = None) -> str:
    """`outgoing` for the first worker of this queue on this host, `outgoing-2` for the next one beside it, and so on.

    What a worker that ended was called is free again. directory: where the locks are; by default the system's
    temporary one, which containers do not share, but there each has a host name of its own.
    """
    directory = directory or Path(tempfile.gettempdir())
    # Two deployments on one host do not share names: they do not share a bus either.
    queue = hashlib.sha256(queue_url.encode()).hexdigest()[:12]
    for number in count(1):
        name = lane if number == 1 else f"{lane}-{number}"
        path = directory / f"waproject-{os.getuid()}-{queue}-{name}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            # Not flock: the children that a worker forks would hold it as well, and outlive their killed parent.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(lock)
            continue
        _held.append(lock)
        return name
    raise AssertionError
