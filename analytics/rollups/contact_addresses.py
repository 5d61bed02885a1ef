"""The addresses of one person's messages: a phone number, a user id (BSUID), or the word that an erasure leaves.

Messages keep the address that they came from or went to; `messaging_contact` says which two are one. The word of an
erased person keeps the country: `erased:+49:…` that of a number, `erased:+US.:…` that of a user id. Words of erasures
before that was kept, `erased:…`, have none.
"""

from messaging.lifecycle import ERASED_PEER, ERASED_PEER_WITH_COUNTRY

# In regular expressions, of Python and of PostgreSQL alike.
PERHAPS_MARK = f"(?:{ERASED_PEER}[+])?"

# Whether any message has a user id as its address: digits sort before letters in every collation, and the words of
# erased persons between the two others here. An uncorrelated subquery is read once a statement, so an installation
# without user ids pays nothing for the rest.
ANY_USER_ID = """(SELECT EXISTS (SELECT FROM messaging_message x WHERE x.peer > '9z' AND x.peer < 'erased')
  OR EXISTS (SELECT FROM messaging_message x WHERE x.peer > 'erasedz'))"""


def other_address(peer: str) -> str:
    """SQL for the other address (`peer`) of the person with this one; no row where there is none. Two index reads."""
    return (
        f"SELECT c.user_id AS peer FROM messaging_contact c WHERE c.phone_key = {peer} AND c.user_id IS NOT NULL "  # noqa: S608 - a column of ours
        f"UNION ALL SELECT c.phone_key FROM messaging_contact c WHERE c.user_id = {peer} AND c.phone_key IS NOT NULL"
    )


def address_of(peer: str) -> str:
    """A peer from where its country begins. The same as `address`."""
    return peer.removeprefix(ERASED_PEER_WITH_COUNTRY)


def address(peer: str) -> str:
    """SQL for a peer from where its country begins."""
    mark = ERASED_PEER_WITH_COUNTRY
    return f"CASE WHEN starts_with({peer}, '{mark}') THEN substr({peer}, {len(mark) + 1}) ELSE {peer} END"


def has_wamid(message: str) -> str:
    """SQL for whether Meta has given an outbound message a wamid. An erased one has lost it, so its statuses say."""
    return f"""({message}.wamid IS NOT NULL OR starts_with({message}.peer, '{ERASED_PEER}') AND (
      {message}.status = ANY(%(reached)s) OR EXISTS (SELECT FROM messaging_messageevent e
        WHERE e.message_id = {message}.id AND e.status = ANY(%(reached)s))))"""
