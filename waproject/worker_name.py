"""A node name that no other worker on this host has, and that the same worker has again after a restart."""

import fcntl
import os
import tempfile
from itertools import count
from pathlib import Path

# Held open for as long as the process lives: the kernel lets go of it, also after a kill.
_held: list[int] = []


def free_name(lane: str, directory: Path | None = None) -> str:
    """`outgoing` for the first worker of the lane on this host, `outgoing-2` for the next one beside it, and so on.

    What a worker that ended was called is free again. directory: where the locks are; by default the system's
    temporary one, which containers do not share, but there each has a host name of its own.
    """
    directory = directory or Path(tempfile.gettempdir())
    for number in count(1):
        name = lane if number == 1 else f"{lane}-{number}"
        lock = os.open(
            directory / f"waproject-{os.getuid()}-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600
        )
        try:
            # Not flock: the children that a worker forks would hold it as well, and outlive their killed parent.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(lock)
            continue
        _held.append(lock)
        return name
    raise AssertionError
