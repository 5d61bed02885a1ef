"""Erasure of a person's data, and access to it: what the law gives a person a right to."""

from messaging.erasure.other_tables import OtherTable, register
from messaging.erasure.person import Person
from messaging.erasure.wamid_digests import without_erased

__all__ = ["OtherTable", "Person", "register", "without_erased"]
