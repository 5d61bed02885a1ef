"""Configuration errors at start-up: a sentence that names the variable and the document, instead of a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.core.exceptions import ImproperlyConfigured

DOCUMENT = "docs/settings.md"
# gunicorn does not restart a worker that exits with this status at boot.
EXIT_STATUS = 3


def sentence(error: ImproperlyConfigured) -> str:
    """The error's text, a line for each fault, with the document to read where the line names none."""
    return "\n".join(
        line if "docs/" in line else f"{line.rstrip('.')} (see {DOCUMENT})." for line in str(error).strip().splitlines()
    )


@contextmanager
def exit_with_message() -> Iterator[None]:
    """Write an ImproperlyConfigured to standard error and raise SystemExit instead."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{sentence(error)}\n")
        raise SystemExit(EXIT_STATUS) from None


def install(*silent: type[BaseException]) -> None:
    """Print an uncaught ImproperlyConfigured in the same way, by sys.excepthook, and nothing of a `silent` exception.

    Other exceptions as before.
    """
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if isinstance(error, ImproperlyConfigured):
            sys.stderr.write(f"{sentence(error)}\n")
        elif not isinstance(error, silent):
            before(kind, error, traceback)

    sys.excepthook = hook
