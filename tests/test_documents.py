"""The documents name only files and functions that exist, and decision records have one form."""

import html
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TRACKED = set(subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]*\.(?:py|md|toml|yml|yaml|json|html|css|js|sh|txt|in)|(?:[\w-]+/)+)`")
# A call in a flame graph: `Class.function.inner (folder/module.py), 3.2%`.
CALLED = re.compile(r"<title>(\S+) \(((?:analytics|messaging|monitoring|waproject)/[\w/]+\.py)\), [\d.]+%</title>")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ANCHORED = re.compile(r"\]\(([^)#:\s]*)#([\w-]+)\)")
LINKED = re.compile(r"\]\(([^)#:]+)(?:#[\w-]+)?\)")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PARTS = (r"^\*\*Context\.\*\* ", r"^\*\*Decision\.\*\* ", r"^\*\*Consequence\.\*\* ")
MOST_WORDS = 300
# Made by running, or examples of names.
NOT_TRACKED = re.compile(r"^(var/|\.venv/|staticfiles/)")


def named_paths(document: Path) -> set[str]:
    """The paths in backticks, as they stand."""
    return {path for path in NAMED.findall(document.read_text()) if not NOT_TRACKED.match(path)}


def exists(path: str, folder: Path) -> bool:
    """Whether it is a tracked file or folder, seen from the root, from the document, or from an app."""
    beginnings = ("", f"{folder.relative_to(ROOT)}/", "messaging/", "waproject/", "monitoring/")
    return any(
        beginning + path in TRACKED or any(file.startswith(beginning + path) for file in TRACKED if path.endswith("/"))
        for beginning in beginnings
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_names_only_files_that_exist(document: Path) -> None:
    assert [path for path in sorted(named_paths(document)) if not exists(path, document.parent)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_links_only_to_files_that_exist(document: Path) -> None:
    links = {link.strip() for link in LINKED.findall(document.read_text())}
    assert [link for link in sorted(links) if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_need_the_environment_of_make_run_follow_the_line_that_reads_it(document: Path) -> None:
    first = re.search(r"\$(BASE_URL|SANDBOX_URL|API_KEY)\b", commands := "".join(SHELL.findall(document.read_text())))
    # On AWS the reader pastes a key.
    assert (
        not first or ". var/local.env" in commands[: first.start()] or "read -rs API_KEY" in commands[: first.start()]
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_ask_for_no_period_that_ends_before_the_reader_comes(document: Path) -> None:
    assert (
        re.findall(r"(?:since|until)=\d{4}-[\d-]*|--month \d{4}-\d\d", "".join(SHELL.findall(document.read_text())))
        == []
    )


def unknown_parts(call: str, path: str) -> list[str]:
    """The parts of a call's name that its module does not define."""
    file = ROOT / path
    code = file.read_text() if file.exists() else ""
    # Comprehensions and lambdas have no name: <listcomp>.
    names = [part for part in html.unescape(call).split(".") if not part.startswith("<")]
    return [name for name in names if not re.search(rf"\b(def|class) {re.escape(name)}\b", code)]


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").glob("*.svg")), ids=lambda path: path.name)
def test_a_flame_graph_names_only_functions_that_exist(picture: Path) -> None:
    calls = CALLED.findall(picture.read_text())
    assert [(call, path) for call, path in calls if unknown_parts(call, path)] == []
    assert bool(calls) == (picture.name == "performance-send.svg")


def anchors(document: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    headings = HEADING.findall(document.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_links_only_to_headings_that_exist(document: Path) -> None:
    links = {(link, anchor) for link, anchor in ANCHORED.findall(document.read_text()) if not link.startswith("http")}
    named = {(link, anchor, document.parent / link if link else document) for link, anchor in links}
    assert [(link, anchor) for link, anchor, path in sorted(named) if anchor not in anchors(path)] == []


RECORDS = [path for path in DOCUMENTS if path.parent.name == "decisions" and path.name != "README.md"]


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_record_has_a_date_its_context_the_decision_and_the_consequence_and_is_short(record: Path) -> None:
    text = record.read_text()
    parts = [re.search(form, text, re.MULTILINE) for form in (r"^20\d\d-\d\d-\d\d$", *PARTS)]
    assert None not in parts
    assert len(text.split()) <= MOST_WORDS


def test_the_list_of_decisions_has_each_record_with_its_date_and_title() -> None:
    rows = [
        f"| {text.splitlines()[2]} | [{text.splitlines()[0].removeprefix('# ')}]({path.name}) |"
        for path, text in ((path, path.read_text()) for path in RECORDS)
    ]
    assert sorted(rows) == sorted(
        re.findall(r"^\| 20.*$", (ROOT / "docs/decisions/README.md").read_text(), re.MULTILINE)
    )


def test_the_version_is_that_of_the_latest_release_in_the_changelog(settings: Any) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    release = re.compile(r"^## (\d+\.\d+\.\d+) \(20\d\d-\d\d-\d\d\)$", re.MULTILINE)
    released = release.search((ROOT / "CHANGELOG.md").read_text())
    assert released
    assert (project, settings.SPECTACULAR_SETTINGS["VERSION"]) == (released[1], released[1])


@pytest.mark.parametrize("name", ["base", "production"])
def test_each_runtime_dependency_has_its_reason(name: str) -> None:
    lines = (ROOT / f"requirements/{name}.in").read_text().splitlines()
    required = {found[0] for line in lines if (found := re.match(r"[A-Za-z0-9][\w.-]*", line))}
    rows = " ".join(re.findall(r"^\| (.*?) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE))
    assert required - set(re.findall(r"[A-Za-z0-9][\w.-]*", rows)) == set()
