"""A roll-out migrates first: the version before the newest migrations keeps working on the schema that they make.

ROLLOUT_FROM=COMMIT takes the version of that commit instead, such as the one that production runs.
"""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import test_end_to_end as end_to_end
from tests.deploy.aws.deployment import Deployment
from tests.deploy.aws.roles import Gate, roles
from tests.deploy.aws.templates import Cloud
from tests.processes import CHECKOUT

pytestmark = pytest.mark.rollout
MIGRATIONS = "*/migrations/*.py"


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=CHECKOUT, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as it was before the newest commit with migrations; a history that does not go so far is skipped."""
    if version := os.environ.get("ROLLOUT_FROM"):
        return extracted(version, tmp_path_factory.mktemp("previous"))
    newest = git("log", "-1", "--first-parent", "--format=%H", "--", MIGRATIONS).decode().strip()
    if not newest or not git("rev-list", "--parents", "-1", newest).split()[1:]:
        pytest.skip("the history that was fetched has no commit before the newest migrations")
    return extracted(f"{newest}^", tmp_path_factory.mktemp("previous"))


def extracted(version: str, directory: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(git("archive", version))) as archive:
        archive.extractall(directory, filter="data")
    shutil.copy2(CHECKOUT / "deploy" / "process", directory / "deploy" / "process")  # older versions have none
    return directory


@pytest.fixture(scope="module")
def pipeline(
    tmp_path_factory: pytest.TempPathFactory, cloud: Cloud, outputs: dict[str, str], previous: Path
) -> Iterator[end_to_end.Pipeline]:
    """Its processes, on a database that the present code has migrated."""
    gate = Gate(cloud, roles(cloud, outputs) | {"operator": frozenset()})
    made = Deployment(tmp_path_factory.mktemp("rollout"), cloud, outputs, gate, source=previous, LOG_FORMAT="json")
    try:
        made.start()
        yield end_to_end.Pipeline(made.env_file)
    finally:
        made.stop()
        gate.close()


test_a_message_is_sent_and_read = end_to_end.test_a_message_is_sent_and_read
test_a_hundred_messages_arrive_once_each = end_to_end.test_a_hundred_messages_arrive_once_each
test_what_a_user_writes_is_stored = end_to_end.test_what_a_user_writes_is_stored
test_an_event_is_stored = end_to_end.test_an_event_is_stored
