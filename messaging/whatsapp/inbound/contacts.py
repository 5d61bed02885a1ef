"""The contacts of a webhook, found for each of its messages and statuses."""

from collections.abc import Mapping
from typing import Any

from messaging.whatsapp.inbound import fields

Contact = dict[str, Any]


class Directory:
    """The contacts of one value, indexed by user id and phone number: a webhook may hold a thousand of each.

    Takes whatever stands under `contacts`; elements that are not objects are left out.
    """

    def __init__(self, listed: object) -> None:
        elements = listed if isinstance(listed, list) else []
        self.contacts: list[Contact] = [contact for contact in elements if isinstance(contact, dict)]
        self._by_user_id: dict[str, Contact] = {}
        self._by_phone: dict[str, Contact] = {}
        for contact in self.contacts:
            if user_id := user_id_of(contact):
                self._by_user_id.setdefault(user_id, contact)
            if phone := fields.phone(contact, "wa_id"):
                self._by_phone.setdefault(phone, contact)

    def identified(self, element: Mapping[str, Any]) -> Contact | None:
        """The contact with the same user id as a message or status, else the one with the same phone number."""
        user_id = fields.user_id(element, "from_user_id", "from", "recipient_user_id", "recipient_id")
        phone = fields.phone(element, "from") or fields.phone(element, "recipient_id")
        return self._by_user_id.get(user_id or "") or self._by_phone.get(phone or "")

    def sender_of(self, message: Mapping[str, Any]) -> Contact:
        """The contact of a message's sender, or an empty one.

        A single contact that shares no kind of id with the message is its sender too: since 2026 either side may lack
        the phone number. One that has the same kind of id with another value is another person.
        """
        found = self.identified(message)
        if found is not None:
            return found
        if len(self.contacts) != 1 or _contradicts(message, self.contacts[0]):
            return {}
        return self.contacts[0]


def user_id_of(contact: Contact) -> str | None:
    """A contact's BSUID."""
    return fields.user_id(contact, "user_id", "wa_id")


def _contradicts(message: Mapping[str, Any], contact: Contact) -> bool:
    pairs = (
        (fields.user_id(message, "from_user_id", "from"), user_id_of(contact)),
        (fields.phone(message, "from"), fields.phone(contact, "wa_id")),
    )
    return any(ours and theirs and ours != theirs for ours, theirs in pairs)
