"""The sandbox is a witness of its own: neither its code nor its tables of Meta's facts are the pipeline's."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import messaging.sandbox

PIPELINE = ("analytics", "celery", "django", "kombu", "messaging.", "monitoring", "rest_framework", "waproject")
# Imports every module of the sandbox in a process of its own, and prints all modules that are loaded then.
LOADED = """
import importlib, json, pkgutil, sys
import messaging.sandbox
for found in pkgutil.walk_packages(messaging.sandbox.__path__, "messaging.sandbox."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(json.dumps(sorted(sys.modules)))
"""
# What the pipeline knows of Meta too, and where the sandbox has it.
FACTS = {
    "error_codes.py": ["_TITLES"],
    "media/file_types.py": ["_CARRIED", "_MOST_BYTES", "_MOST_STICKER_BYTES", "UPLOAD_TYPES"],
    "checks/__init__.py": ["_CHECKS"],
    "checks/text.py": ["MAX_BODY"],
    "checks/files.py": ["MAX_CAPTION", "MAX_FILENAME", "MAX_MEDIA_ID"],
    "checks/cards.py": ["MAX_CARDS", "MAX_PIN_DAYS", "_CARD_LISTS", "_NAME_PARTS"],
    "checks/emoji.py": ["_RUNS"],
    "checks/interactive.py": ["KINDS", "MAX_BODY", "MAX_LIST_BODY", "MAX_HEADER", "MAX_FOOTER"],
    "checks/interactive_actions.py": ["MAX_BUTTONS", "MAX_ROWS", "MAX_SECTIONS", "MAX_PRODUCTS", "MIN_CARDS"],
    "checks/template.py": ["MAX_NAME", "MAX_BUTTONS", "_BUTTONS", "_COMPONENTS"],
    "checks/template_parameters.py": ["TEXT_TYPES", "HEADER_TYPES", "_FORBIDDEN_SPACE", "_DATE_KEYS"],
    "outcomes/references.py": ["MAX_REACTION_AGE_S"],
    "checks/send.py": ["MAX_CALLBACK_DATA", "_ENVELOPE"],
}
FOLDER = Path(messaging.sandbox.__path__[0])


def test_the_sandbox_loads_nothing_of_the_pipeline() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "messaging.sandbox.simulator" in loaded
    assert [name for name in loaded if name.startswith(PIPELINE) and not name.startswith("messaging.sandbox")] == []


@pytest.mark.parametrize(("file", "names"), FACTS.items(), ids=FACTS)
def test_each_fact_of_metas_is_written_out_in_the_sandbox(file: str, names: list[str]) -> None:
    assert set(names) <= written_in(FOLDER / file)


def written_in(path: Path) -> set[str]:
    """The names that a module gives a value itself; one that is imported is not among them."""
    written: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        written |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return written
