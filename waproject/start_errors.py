"""A process that is not configured ends with a sentence that names the variable and the document; no traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.core.exceptions import ImproperlyConfigured

DOCUMENT = "docs/settings.md"
# gunicorn takes this one for a worker that cannot start, and does not start it again and again.
EXIT_STATUS = 3


def sentence(error: ImproperlyConfigured) -> str:
    """What is wrong, and where to read on."""
    return f"{str(error).strip()}\nThe process was not started: see {DOCUMENT}."


@contextmanager
def in_words() -> Iterator[None]:
    """Raise SystemExit in the place of an ImproperlyConfigured, with its words on standard error."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{sentence(error)}\n")
        raise SystemExit(EXIT_STATUS) from None


def install() -> None:
    """The same for an ImproperlyConfigured that nobody catches, wherever it is raised; all others as before."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if isinstance(error, ImproperlyConfigured):
            sys.stderr.write(f"{sentence(error)}\n")
        else:
            before(kind, error, traceback)

    sys.excepthook = hook
