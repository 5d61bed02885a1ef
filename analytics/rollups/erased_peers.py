"""Messages of erased persons: `erased:+49:…` keeps the country of the number, `erased:+US.:…` that of a user id.

Words of erasures before that was kept, `erased:…`, have no country.
"""

from messaging.lifecycle import ERASED_PEER

MARK = f"{ERASED_PEER}+"
# In regular expressions, of Python and of PostgreSQL alike.
PERHAPS_MARK = f"(?:{ERASED_PEER}[+])?"


def address_of(peer: str) -> str:
    """A peer from where its country begins. The same as `address`."""
    return peer.removeprefix(MARK)


def address(peer: str) -> str:
    """SQL for a peer from where its country begins."""
    return f"CASE WHEN starts_with({peer}, '{MARK}') THEN substr({peer}, {len(MARK) + 1}) ELSE {peer} END"


def has_wamid(message: str) -> str:
    """SQL for whether Meta has given an outbound message a wamid. An erased one has lost it, so its statuses say."""
    return f"""({message}.wamid IS NOT NULL OR starts_with({message}.peer, '{ERASED_PEER}') AND (
      {message}.status = ANY(%(reached)s) OR EXISTS (SELECT FROM messaging_messageevent e
        WHERE e.message_id = {message}.id AND e.status = ANY(%(reached)s))))"""
