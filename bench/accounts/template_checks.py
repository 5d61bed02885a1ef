"""What the check of a template adds to a send: queries, and CPU of the check alone."""

from typing import Any

from bench.accounts.programs import figures_of

CHECKS = 400


def measure(checks: int = CHECKS) -> dict[str, Any]:
    """`queries`: those of a template's send less those of a text's, with what is known of the template in memory.
    `cpu_ms`: of a check 80 times a second, as sends come; `load_ms`: of asking the database, once in five seconds."""
    found: dict[str, Any] = figures_of("bench.accounts.checked_sends", checks)
    return found
