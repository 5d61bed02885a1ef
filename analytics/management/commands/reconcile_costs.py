"""`manage.py reconcile_costs`: a month's costs beside Meta's own."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.costs.answers import money
from analytics.costs.reconcile import Comparison, Line, Side, Unread, compare

DIFFERENT, FAILED = 1, 2
# The columns before those of numbers.
WORDS = 3
# WhatsApp began in 2009. The months beside year 1 and year 9999 have no date in every time zone.
FIRST_YEAR, LAST_YEAR = 2009, 2999


class Command(BaseCommand):
    """Exit status: 0 where all agrees, 1 where something differs, 2 where it cannot be compared."""

    help = "Compare a month's costs with Meta's pricing_analytics, by account, market and category."

    def add_arguments(self, parser: CommandParser) -> None:
        """The month and the form of the answer."""
        parser.add_argument("--month", required=True, type=month, help="2026-11, in each account's time zone")
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--tolerance", type=amount, default=Decimal("0.01"), help="by how much costs may differ in a line: 0.01"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print both sides. Raises CommandError where Meta cannot be asked, SystemExit where something differs."""
        answers = compare(options["month"])
        if not answers:
            raise CommandError(
                "No number has a WhatsApp Business account yet: run manage.py connect.", returncode=FAILED
            )
        found = [one for one in answers if isinstance(one, Comparison)]
        unread = [one for one in answers if isinstance(one, Unread)]
        tolerance = options["tolerance"]
        if options["format"] == "json":
            self.stdout.write(json.dumps([as_json(one, tolerance) for one in answers], indent=2))
        else:
            for one in found:
                self.stdout.write("\n".join(as_text(one, tolerance)))
        if unread:
            reasons = " ".join(
                f"Meta's figures of account {one.waba_id} cannot be read: {one.reason.rstrip('.')}." for one in unread
            )
            raise CommandError(reasons, returncode=FAILED)
        if any(line.differs(tolerance) for one in found for line in one.lines):
            raise SystemExit(DIFFERENT)


def month(text: str) -> date:
    """The first day of a month. Raises ValueError for anything else."""
    found = datetime.strptime(text, "%Y-%m").date()
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(text)
    return found


def amount(text: str) -> Decimal:
    """An amount of money. Raises ValueError for anything else."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not found.is_finite() or found < 0:
        raise ValueError(text)
    return found


def as_json(found: Comparison | Unread, tolerance: Decimal) -> dict[str, Any]:
    """A comparison; money is text. Of an account that cannot be read only the error."""
    if isinstance(found, Unread):
        return {"account": found.waba_id, "error": found.reason}
    return {
        "account": found.waba_id,
        "currency": found.currency,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "differs": any(line.differs(tolerance) for line in found.lines),
        "lines": [
            {
                "market": line.market,
                "category": line.category,
                "differs": line.differs(tolerance),
                "ours": _side(line.ours),
                "meta": _side(line.metas),
            }
            for line in found.lines
        ],
    }


def _side(side: Side) -> dict[str, Any]:
    return {"messages": side.messages, "cost": money(side.cost), "unpriced": side.unpriced}


def as_text(found: Comparison, tolerance: Decimal) -> list[str]:
    """A table with a mark at what differs."""
    rows: list[Sequence[str]] = [("", "market", "category", "messages", "of Meta", "cost", "of Meta", "difference")]
    rows += [_row(line, tolerance) for line in found.lines]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    different = sum(line.differs(tolerance) for line in found.lines)
    head = f"Account {found.waba_id}, {found.since:%Y-%m}, {found.currency}: "
    head += f"{different} of {len(found.lines)} lines differ" if different else "all agrees"
    texts = ["  ".join(_padded(row, widths)) for row in rows]
    return [head, *(text.rstrip() for text in texts if found.lines), ""]


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Words to the left, numbers to the right."""
    for n, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if n < WORDS else cell.rjust(width)


def _row(line: Line, tolerance: Decimal) -> Sequence[str]:
    unpriced = f" ({line.ours.unpriced} unpriced)" if line.ours.unpriced else ""
    return (
        "!" if line.differs(tolerance) else "",
        line.market,
        line.category or "not said",
        str(line.ours.messages),
        str(line.metas.messages),
        money(line.ours.cost) + unpriced,
        money(line.metas.cost),
        money(line.ours.cost - line.metas.cost),
    )
