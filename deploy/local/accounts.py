"""The user that runs PostgreSQL: not root, which it refuses, but one with access to the checkout."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deploy.local import LocalError

OVERFLOW_ID = 65534


def unprivileged_prefix(program: Path, data_dir: Path, checkout: Path) -> list[str]:
    """The command prefix with which root runs a command as an unprivileged user; empty for ordinary users.

    `data_dir` is created for that user if it does not exist. No other file or directory is changed.
    """
    if os.geteuid() != 0:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
            owner = data_dir.stat().st_uid
            raise LocalError(f"{data_dir} belongs to another user (uid {owner}): run as that user, or remove it.")
        return []
    uid, gid = _unprivileged_ids(data_dir, checkout)
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if not data_dir.exists():
        data_dir.mkdir(mode=0o700)
        os.chown(data_dir, uid, gid)
    for prefix in _escalations(uid, gid):
        if _works(prefix, program, data_dir):
            return prefix
    raise LocalError(
        f"PostgreSQL refuses to run as root, and user {uid} cannot be given access to {data_dir}: "
        "run make as an ordinary user, or set DATABASE_URL to a server of your own."
    )


def _unprivileged_ids(data_dir: Path, checkout: Path) -> tuple[int, int]:
    """(uid, gid) of the owner of existing data, else of the checkout, else of `nobody`."""
    if data_dir.exists() and (status := data_dir.stat()).st_uid != 0:
        return status.st_uid, status.st_gid
    with suppress(KeyError):
        # In a container the owner's uid may have no name, which initdb requires.
        if (owner := pwd.getpwuid(checkout.stat().st_uid)).pw_uid != 0:
            return owner.pw_uid, owner.pw_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return OVERFLOW_ID, OVERFLOW_ID
    return nobody.pw_uid, nobody.pw_gid


def _escalations(uid: int, gid: int) -> Iterator[list[str]]:
    """Prefixes that switch to that user, the one with the fewest privileges first.

    A checkout below a directory that only root may enter (0700) needs a capability, for this process tree alone:
    dac_read_search, or dac_override in a container without the former. PostgreSQL checks its own binary by access(2),
    which ignores capabilities unless no_setuid_fixup is set (capabilities(7)).
    """
    base = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    yield base
    for capability in ("dac_read_search", "dac_override"):
        yield [
            *base,
            f"--inh-caps=+{capability}",
            f"--ambient-caps=+{capability}",
            "--securebits=+no_setuid_fixup",
        ]


def _works(prefix: list[str], program: Path, data_dir: Path) -> bool:
    script = '"$0" --version && test -x "$0" && cd "$1" && test -w .'
    try:
        probe = subprocess.run(
            [*prefix, "/bin/sh", "-c", script, str(program), str(data_dir)],
            capture_output=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    # `postgres --version` also works if it cannot find its own binary, but then writes to stderr.
    return probe.returncode == 0 and not probe.stderr
