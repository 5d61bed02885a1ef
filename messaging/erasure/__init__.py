"""A person's rights: erasure of the data, and access to it."""

from messaging.erasure.other_tables import CannotReadYet, OtherTable, register
from messaging.erasure.person import Person
from messaging.erasure.wamid_digests import without_erased

__all__ = ["CannotReadYet", "OtherTable", "Person", "register", "without_erased"]
