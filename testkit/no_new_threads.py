"""A system that gives no more threads: a limit of its container or its user is reached, or its memory is used up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# More than any address space holds.
STACK_BYTES = 2**47


@contextmanager
def no_new_threads() -> Iterator[None]:
    """Each start of a thread of this process raises RuntimeError, as Python does then."""
    before = threading.stack_size(STACK_BYTES)
    try:
        yield
    finally:
        threading.stack_size(before)
