"""The number of random examples of a property of costs, each of which takes a tenth of a second of CPU time or more.

`make slowtest` tries a few, other ones in each run. CI tries EXAMPLES_FACTOR times as many, in a run of its own.
"""

import os

FACTOR = int(os.environ.get("EXAMPLES_FACTOR", "1"))


def examples(few: int) -> int:
    """That many in `make slowtest`."""
    return few * FACTOR
