"""`manage.py` itself."""

import os
import subprocess
import sys

import pytest

from tests.processes import CHECKOUT


@pytest.mark.slow("starts a process")
@pytest.mark.parametrize(
    ("encoding", "printed"), [("utf-8", "✓ Ann Żak".encode()), ("latin-1", rb"\u2713 Ann \u017bak")]
)
def test_what_a_terminal_cannot_show_does_not_end_a_command(encoding: str, printed: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", "print('\u2713 Ann \u017bak')"],
        env={**os.environ, "PYTHONIOENCODING": encoding}, cwd=CHECKOUT, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, printed), done.stderr
