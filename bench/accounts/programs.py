"""Programs that measure our code within their own process, with the environment of a pipeline."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.production import PRODUCTION
from testkit.pipeline import Pipeline
from testkit.processes import CHECKOUT, python

SHOWN_CHARACTERS = 500


def figures_of(module: str, *arguments: object) -> Any:
    """What `python -m module arguments` prints, beside PostgreSQL, SQS and the sandbox alone. Raises BenchError."""
    with Pipeline({}, PRODUCTION) as pipeline:
        done = subprocess.run(
            python("-m", module, *map(str, arguments)),
            env=pipeline.env, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise BenchError(f"{module} failed: {done.stderr[-SHOWN_CHARACTERS:]}")
    return json.loads(done.stdout.splitlines()[-1])


def print_figures(figures: Any) -> None:
    """Print the figures as the last line, which `figures_of` reads."""
    json.dump(figures, sys.stdout)
    print(flush=True)


class CpuClock:
    """The CPU of this thread and of its backend in PostgreSQL, as far as the backend's process id is given."""

    def __init__(self, backend: int | None = None) -> None:
        self._backend = None if backend is None else Path(f"/proc/{backend}/schedstat")

    def ms(self) -> float:
        """Milliseconds until now."""
        # The first number is of nanoseconds on a processor.
        of_backend = 0 if self._backend is None else int(self._backend.read_text().split()[0])
        return time.thread_time() * 1000 + of_backend / 1_000_000
