"""The statements that change a status: docs/decisions/release-and-claim.md."""

import re
from pathlib import Path

import pytest

from messaging import states

ROOT = Path(states.__file__).resolve().parent.parent
PACKAGES = ("analytics", "messaging", "monitoring", "waproject")
# The first assignment stands right behind SET; none of the columns before a status is computed by a subquery.
SQL = re.compile(
    r"\bUPDATE\s+messaging_message(?:\s+(?:AS\s+)?\w+)?\s+SET\s+(.*?)(?:\bFROM\b|\bWHERE\b|\bRETURNING\b|\"\"\"|$)",
    re.S,
)
ASSIGNED = re.compile(r"(?:^|,)\s*status\s*=")
ORM = re.compile(r"\.(?:update|aupdate)\([^()]*\bstatus\s*=\s*(?:Status\.|S\.)")
ALLOWED = {"messaging/lifecycle/transitions.py", "messaging/outgoing/claims.py", "messaging/outgoing/release.py"}


def changes_status(source: str) -> bool:
    return bool(ORM.search(source)) or any(ASSIGNED.search(found[1]) for found in SQL.finditer(source))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("UPDATE messaging_message m SET status = 'queued', hold = NULL FROM x WHERE m.id = x.id", True),
        ("UPDATE messaging_message SET hold = NULL, status='failed' WHERE id = 1", True),
        ("UPDATE messaging_message m SET\n  status = l.status\n", True),
        ("Message.objects.filter(pk=pk).update(hold=None, status=Status.FAILED)", True),
        ("UPDATE messaging_message SET hold = NULL WHERE status = 'queued'", False),
        ("UPDATE messaging_template SET status = 'APPROVED'", False),
        ("Message.objects.filter(status=Status.FAILED).update(hold=None)", False),
    ],
)
def test_a_statement_that_changes_a_status_is_recognised(source: str, found: bool) -> None:
    assert changes_status(source) is found


def test_no_other_statement_changes_a_status() -> None:
    files = [
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts and changes_status(path.read_text())
    ]
    assert {path.relative_to(ROOT).as_posix() for path in files} == ALLOWED
