"""Meta's pricing of a message in words, for people."""

from messaging.models import Message, MessageEvent

BILLED = {True: "billed", False: "free", None: ""}


def price_text(row: Message | MessageEvent) -> str:
    """Such as "marketing, regular, billed"; empty where Meta has given none."""
    values = (row.pricing_category or "", (row.pricing_type or "").replace("_", " "), BILLED[row.billable])
    return ", ".join(filter(None, values))
