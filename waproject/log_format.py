"""Log lines without other people's words."""

import logging
import re

# PostgreSQL quotes the row that it refused, line breaks and all: `DETAIL:  Failing row contains (…)`. It ends where the
# traceback goes on. In a repr the line break before it is an escaped one.
_DETAIL = re.compile(
    r"(?:\\n|\n)?\s*(?:DETAIL|CONTEXT|QUERY):.*?(?=\n(?:Traceback |  File |During handling |The above )|\Z)",
    re.DOTALL,
)
# A phone number, alone or behind a plus; our own ids and times hold no such run of digits.
_PHONE = re.compile(r"(?<![\w.-])\+?\d{8,15}(?![\w.-])")
_WAMID = re.compile(r"wamid\.[\w+/=-]+")


class MaskingFormatter(logging.Formatter):
    """Drops what PostgreSQL quotes, and masks phone numbers and wamids (which hold one) wherever they come from."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and its traceback, masked."""
        return mask(super().format(record))


def mask(text: str) -> str:
    """The text without database details, phone numbers and wamids."""
    text = _DETAIL.sub("", text)
    return _PHONE.sub("…", _WAMID.sub("wamid.…", text)).rstrip("\n")
