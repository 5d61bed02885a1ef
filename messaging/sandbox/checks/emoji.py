"""Whether a string is one emoji: the sequences of Unicode Technical Standard 51, over its blocks of emoji."""

from __future__ import annotations

import re

# Characters that are emoji by themselves or with a variation selector, by block.
_SYMBOL = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_SKIN_TONE = "[\U0001f3fb-\U0001f3ff]"
# A symbol in its emoji form, with a skin tone, or with the tags of a flag such as Scotland's.
_ELEMENT = f"{_SYMBOL}(?:\ufe0f|{_SKIN_TONE})?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_KEYCAP = "[0-9#*]\ufe0f?\u20e3"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_EMOJI = re.compile(f"{_KEYCAP}|{_FLAG}|{_ELEMENT}(?:\u200d{_ELEMENT})*|{_SKIN_TONE}")


def is_one_emoji(text: str) -> bool:
    """Whether the text is a single emoji; a family, a flag or a skin tone counts as one."""
    return _EMOJI.fullmatch(text) is not None
