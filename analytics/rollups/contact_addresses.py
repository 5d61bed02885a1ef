"""One person under two addresses: a phone number, and the business-scoped user id (BSUID) of a user who hides it.

Messages keep the address that they came from or went to; `messaging_contact` says which two are one.
"""

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
