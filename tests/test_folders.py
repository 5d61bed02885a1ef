"""A folder shows at one glance what it holds."""

import subprocess
from collections import Counter
from pathlib import PurePosixPath

from testkit.processes import CHECKOUT

MODULES = 15
# docs/architecture.md says why. Their tests mirror them.
ROWS_OF_STEPS = ("waproject/sqs", "deploy/local", "messaging/outgoing")
IN_A_ROW = 20


def modules_by_folder() -> Counter[str]:
    """How many modules each folder has, without `__init__` and migrations."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    paths = [PurePosixPath(line) for line in listed.stdout.splitlines()]
    return Counter(
        str(path.parent) for path in paths if path.name != "__init__.py" and path.parent.name != "migrations"
    )


def test_a_folder_has_at_most_15_modules_or_20_if_they_are_one_row_of_steps() -> None:
    counts = modules_by_folder()
    most = {folder: IN_A_ROW if folder.removeprefix("tests/") in ROWS_OF_STEPS else MODULES for folder in counts}
    assert {folder: count for folder, count in counts.items() if count > most[folder]} == {}


def test_a_row_of_steps_is_listed_only_while_it_needs_to_be() -> None:
    counts = modules_by_folder()
    assert [folder for folder in ROWS_OF_STEPS if counts[folder] <= MODULES] == []
