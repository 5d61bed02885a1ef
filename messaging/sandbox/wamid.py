"""Message ids as Meta makes them: base64 of a few fixed bytes, the user's phone digits and a random id in hex.

The bytes between were read from ids in Meta's own examples; they only look right: do not rely on them.
"""

import base64
import secrets

_OUTBOUND = (b"\x15\x02\x00\x11\x18", 9)
_INBOUND = (b"\x15\x02\x00\x12\x18", 10)
# A user id may be 135 characters; Meta's length is one byte, and some consumers store 255 characters of a wamid.
_MAX_ADDRESS = 64


def outbound_wamid(address: str) -> str:
    """A new id for a message from the business to this phone number or user id."""
    return _wamid(address, *_OUTBOUND)


def inbound_wamid(address: str) -> str:
    """A new id for a message from this phone number or user id to the business."""
    return _wamid(address, *_INBOUND)


def _wamid(address: str, mark: bytes, random_bytes: int) -> str:
    who = address.encode()[:_MAX_ADDRESS]
    unique = secrets.token_hex(random_bytes).upper().encode()
    raw = b"\x1c\x18" + bytes([len(who)]) + who + mark + bytes([len(unique)]) + unique + b"\x00"
    return "wamid." + base64.b64encode(raw).decode()
