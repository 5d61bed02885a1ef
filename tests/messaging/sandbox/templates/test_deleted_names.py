"""A deleted template's name is free again after a month."""

from __future__ import annotations

import pytest

from messaging.sandbox.templates.catalogue import CATALOGUE
from messaging.sandbox.templates.store import DELETION_S, Templates


@pytest.mark.parametrize(("after", "is_deleted"), [(DELETION_S - 1, True), (DELETION_S, False)])
def test_a_deletion_takes_thirty_days(after: float, is_deleted: bool) -> None:
    templates = Templates(CATALOGUE)
    templates.remove("hello_world", None, 1000.0)
    assert templates.is_being_deleted("hello_world", "en_US", 1000.0 + after) == is_deleted


def test_a_reset_ends_all_deletions() -> None:
    templates = Templates(CATALOGUE)
    templates.remove("hello_world", None, 1000.0)
    templates.clear()
    assert not templates.is_being_deleted("hello_world", "en_US", 1000.0)
