"""`manage.py import_rate_card`: take Meta's prices from its CSV file."""

import re
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.costs.cards import store_card
from analytics.costs.rate_card_csv import BadCard, read_card
from messaging.whatsapp.storable import storable_text


class Command(BaseCommand):
    """Stores all of a file or nothing; the same currency, layout and day again replaces what was there."""

    help = "Import one of Meta's rate cards: a CSV file of prices by market and category, or by volume tier."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file and what it does not say itself."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--currency", required=True, help="three letters, as in the file: USD")
        parser.add_argument("--valid-from", required=True, type=day, help="the first day: 2026-10-01")
        parser.add_argument("--name", default="", help="shown with each figure; else the file's name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError that names the row and column at fault."""
        path, currency = options["file"], options["currency"].upper()
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise CommandError("--currency has three letters, such as USD.")
        try:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                card = read_card(lines, currency)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            raise CommandError(f"{path} is not UTF-8 text: {error}") from None
        except BadCard as error:
            raise CommandError(f"{path}: {error} Nothing was stored.") from None
        # A file's name may have bytes that are no text, which no database takes.
        name = storable_text(options["name"] or path.stem)[:100]
        stored, replaced = store_card(card, name, currency, options["valid_from"])
        markets = len({rate.market for rate in card.rates})
        self.stdout.write(
            f"{stored}: {len(card.rates)} prices of {markets} markets, valid from {stored.valid_from}."
            + (" It replaces the card of that day." if replaced else "")
        )


def day(text: str) -> date:
    """A date. Raises ValueError for anything else."""
    return date.fromisoformat(text)
