"""A flame graph of a send's CPU in web, docs/performance-send.svg: `python -m bench.send_flame [SECONDS]`."""

import subprocess
import sys

from bench.production import PRODUCTION
from bench.report import flame
from testkit.pipeline import Pipeline
from testkit.processes import CHECKOUT, python

PICTURE = CHECKOUT / "docs" / "performance-send.svg"
TITLE = "CPU of a send in the web application, at 80 a second"
SECONDS = 120


def main() -> None:
    """Sample and draw."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    PICTURE.write_text(flame.draw(flame.read(stacks(seconds)), TITLE))


def stacks(seconds: float) -> list[str]:
    """The sampled stacks of this many seconds."""
    with Pipeline({}, PRODUCTION) as pipeline:
        command = python("-m", "bench.pipeline.sampled_sends", str(seconds))
        done = subprocess.run(
            command, env=pipeline.env, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=True,
        )  # fmt: skip
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()
