"""The migrated PostgreSQL data of an earlier run, kept in var/tests while nothing that migrations read has changed.

Making it takes ten seconds of CPU time, longer than the tests of most packages.
"""

import hashlib
import shutil
import time
from pathlib import Path

LONGEST_RUN_S = 3600
CHECKOUT = Path(__file__).resolve().parents[2]
# What the data depends on: the migrations, what they import, the models whose permissions and content types they end
# with, and the versions and settings of PostgreSQL and Django.
SOURCES = (
    "*/migrations/*.py",
    "*/models/**/*.py",
    "*/apps.py",
    "messaging/*.py",
    "messaging/subscriber_http/*.py",
    "waproject/*.py",
    "waproject/resumable_migrations/*.py",
    "requirements/*.txt",
    "deploy/local/*.py",
    "tests/conftest.py",
    "tests/environment.py",
)


def sources() -> list[Path]:
    """The files on which the data depends."""
    return sorted({path for pattern in SOURCES for path in CHECKOUT.glob(pattern)})


def kept_cluster() -> Path:
    """Where the data for the present sources is kept, once it is made."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(f"{path.relative_to(CHECKOUT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return CHECKOUT / "var" / "tests" / f"postgres-{digest.hexdigest()[:16]}"


def forget_others(kept: Path) -> None:
    """Delete the data of other sources, unless a run that began before the last edit may still copy it."""
    for other in kept.parent.glob("postgres-*"):
        if other.name.partition(".")[0] != kept.name and other.stat().st_mtime < time.time() - LONGEST_RUN_S:
            shutil.rmtree(other, ignore_errors=True)
