"""Contacts of one webhook: the locks on their rows."""

import pytest
from django.db import transaction

from messaging.contacts.identities import ContactUpdate, apply_contact_updates
from messaging.models import Contact
from tests.messaging.lock_order import holds_while_waiting


@pytest.mark.django_db(transaction=True)
def test_the_contacts_of_a_webhook_are_locked_in_id_order() -> None:
    first, second = (
        Contact.objects.create(portfolio="1", phone=phone, phone_key=phone) for phone in ("15551230001", "15551230002")
    )

    def work() -> None:
        with transaction.atomic():
            apply_contact_updates([ContactUpdate("1", contact.phone, None) for contact in (second, first)])

    assert not holds_while_waiting(work, first, second)


@pytest.mark.django_db
def test_a_person_who_writes_to_many_portfolios_at_once_is_a_contact_in_each() -> None:
    updates = [ContactUpdate(portfolio, "15551230001", None) for portfolio in "abcde"]
    with transaction.atomic():
        applied = apply_contact_updates(updates)
    assert [one.contact and one.contact.portfolio for one in applied] == list("abcde")
