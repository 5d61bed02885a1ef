"""A folder shows at one glance what it holds, and a module by its first line what it answers."""

import ast
import re
import subprocess
from collections import Counter
from pathlib import PurePosixPath

from testkit.processes import CHECKOUT

MODULES = 15
# docs/architecture.md says why. Their tests mirror them.
ROWS_OF_STEPS = ("waproject/sqs", "deploy/local", "messaging/outgoing")
IN_A_ROW = 20
PRODUCT = ("analytics", "messaging", "monitoring", "waproject")
# They list things of one kind: the pages of a menu group, the paths of a resource, its fields, the tables of a family.
LISTS = re.compile(r"(.*/)?(admin(_\w+)?|api|\w+_api|apps|serializers|__init__|models/\w+)\.py")


def paths() -> list[PurePosixPath]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return [PurePosixPath(line) for line in listed.stdout.splitlines()]


def modules_by_folder() -> Counter[str]:
    """How many modules each folder has, without `__init__`, pytest's `conftest`, and migrations."""
    own = (path for path in paths() if path.name not in {"__init__.py", "conftest.py"})
    return Counter(str(path.parent) for path in own if path.parent.name != "migrations")


def test_a_folder_has_at_most_15_modules_or_20_if_they_are_one_row_of_steps() -> None:
    counts = modules_by_folder()
    most = {folder: IN_A_ROW if folder.removeprefix("tests/") in ROWS_OF_STEPS else MODULES for folder in counts}
    assert {folder: count for folder, count in counts.items() if count > most[folder]} == {}


def test_a_row_of_steps_is_listed_only_while_it_needs_to_be() -> None:
    counts = modules_by_folder()
    assert [folder for folder in ROWS_OF_STEPS if counts[folder] <= MODULES] == []


def subject(docstring: str) -> str:
    """The subject of a docstring: its first words, up to a comma, colon or full stop."""
    return re.split(r"[.:;,](?:\s|$)", docstring)[0]


def modules_of_the_product() -> dict[str, str]:
    """The subject of each module's docstring."""
    own = [path for path in paths() if path.parts[0] in PRODUCT and "migrations" not in path.parts]
    texts = {str(path): (CHECKOUT / path).read_text() for path in own}
    return {path: subject(ast.get_docstring(ast.parse(text)) or "") for path, text in texts.items() if text}


def test_each_module_is_described_by_a_noun_phrase() -> None:
    questions = re.compile(r"(What|Whether|When|Where|Why|How)\b")
    assert [path for path, said in modules_of_the_product().items() if not said or questions.match(said)] == []


def test_a_module_fits_a_sentence_without_and_unless_it_lists_things_of_one_kind() -> None:
    subjects = {path: re.sub(r"\bbetween .* and\b", "", said) for path, said in modules_of_the_product().items()}
    assert [path for path, said in subjects.items() if re.search(r"\band\b", said) and not LISTS.fullmatch(path)] == []
