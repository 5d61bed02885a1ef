"""The progress of a long command on a terminal."""

import io
from types import ModuleType

import pytest

from messaging.management.commands import erase_contact, export_contact, retention


class Terminal(io.StringIO):
    """Says that it is a terminal, as Django asks before it colours."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("command", "shown"), [(export_contact, "\r1,234 messages"), (erase_contact, "\r1,234 messages erased")]
)
def test_progress_is_not_red_like_an_error(command: ModuleType, shown: str) -> None:
    terminal = Terminal()
    command.Command(stderr=terminal, force_color=True)._show(1234)
    assert terminal.getvalue() == shown


@pytest.mark.django_db
def test_what_a_deletion_removed_is_not_red_like_an_error() -> None:
    terminal = Terminal()
    retention.Command(stderr=terminal, force_color=True)._run()
    assert terminal.getvalue().endswith("\r0 removed\n")
    assert "\x1b" not in terminal.getvalue()
