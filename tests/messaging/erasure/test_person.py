"""A person is found in JSON by number, in Python and in PostgreSQL alike."""

import json
import os

import pytest
from django.db import connection

from messaging.erasure.person import Person, person_of
from messaging.models import Contact
from messaging.states import Status
from tests.messaging.factories import in_state

ANN = Person(frozenset({"15551230001"}), frozenset())
BY_USER_ID = Person(frozenset({"US.123", "4930123456"}), frozenset())


@pytest.mark.parametrize(
    ("text", "found"),
    [("US.123", True), ("4930123456", True), ("USx123", False), ("US.1234", False), ("US.123|4930123456", True)],
)
def test_an_identity_is_found_as_a_whole_and_not_as_a_pattern(text: str, found: bool) -> None:
    assert BY_USER_ID.is_mentioned_in(json.dumps({"text": text})) is found


def test_a_person_without_an_identity_is_mentioned_nowhere() -> None:
    assert Person(frozenset(), frozenset()).is_mentioned_in("+") is False


@pytest.mark.django_db
def test_a_persons_contacts_lead_from_one_number_to_the_next() -> None:
    first = Contact.objects.create(portfolio="a", phone="15551230001", phone_key="15551230001", user_id="US.1")
    second = Contact.objects.create(portfolio="b", phone="15551230002", phone_key="15551230002", user_id="US.1")
    third = Contact.objects.create(portfolio="c", phone="15551230002", phone_key="15551230002", user_id="US.3")
    Contact.objects.create(portfolio="c", phone="15551230004", phone_key="15551230004", user_id="US.4")
    assert person_of("15551230001") == Person(
        frozenset({"15551230001", "15551230002", "US.1", "US.3"}), frozenset({first.pk, second.pk, third.pk})
    )


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["phone", "phone_key", "user_id"])
def test_a_contact_is_found_by_each_of_its_columns(column: str) -> None:
    contact = Contact.objects.create(**{"phone": None, "phone_key": None, column: "15551230001"})
    Contact.objects.create(phone="15551230009", phone_key="15551230009")
    assert person_of("15551230001").contact_ids == {contact.pk}


@pytest.mark.django_db
def test_messages_are_those_of_the_persons_addresses_and_contacts() -> None:
    contact = Contact.objects.create(phone="15551230001", phone_key="15551230001")
    for peer, owner in (("15551230001", None), ("15551230007", contact), ("15551230008", None)):
        in_state(Status.DELIVERED, peer=peer, contact=owner)
    found = person_of("15551230001").messages.values_list("peer", flat=True)
    assert sorted(found) == ["15551230001", "15551230007"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("15551230001", True),
        ("call +15551230001.", True),
        ("Ann:\n15551230001", True),
        ("Ann\t15551230001", True),
        ("电话15551230001", True),
        ("n15551230001", False),
        ("\n915551230001", False),
        ("155512300019", False),
        ("1.15551230001", False),
    ],
)
def test_a_number_counts_where_it_stands_alone(text: str, found: bool) -> None:
    document = json.dumps({"text": text}, ensure_ascii=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text ~ %s", [document, ANN.pattern])
        (by_postgresql,) = cursor.fetchone()
    assert (ANN.is_mentioned_in(document), by_postgresql) == (found, found)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given",
    [
        os.fsdecode(b"caf\xe9"),
        "a\0b",
        "",
        "\u00b2\u0663" * 300,
        "Ann 1",
        "Ann 15551230001",
        "erased:15551230001",
        "US.",
    ],
)
def test_what_is_no_identity_is_nobody(given: str) -> None:
    Contact.objects.create(phone="15551230001", phone_key="15551230001")
    assert person_of(given) == Person(frozenset(), frozenset())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "peers"),
    [
        ("US.15551230001", {"US.15551230001"}),
        (" US.aBcDe1F\n", {"US.aBcDe1F"}),
        ("US.ENT.15551230001", {"US.ENT.15551230001"}),
        ("15551230001", {"15551230001"}),
        ("+1 (555) 123-0001", {"15551230001"}),
        ("+55 (11) 98765-4321", {"5511987654321", "551187654321"}),
    ],
)
def test_a_user_id_stands_for_itself_and_a_number_for_all_its_spellings(given: str, peers: set[str]) -> None:
    assert person_of(given).peers == peers


@pytest.mark.django_db
def test_a_user_id_does_not_lead_to_the_contact_whose_number_is_its_digits() -> None:
    Contact.objects.create(phone="15551230001", phone_key="15551230001")
    assert person_of("US.15551230001").contact_ids == frozenset()


def test_a_number_too_short_to_be_a_phone_number_is_not_looked_for_in_json() -> None:
    short = Person(frozenset({"1", "123456"}), frozenset())
    assert (short.pattern, short.is_mentioned_in("[1, 123456]")) == ("", False)
    assert Person(frozenset({"1", "1234567"}), frozenset()).is_mentioned_in("[1]") is False
    assert Person(frozenset({"1", "1234567"}), frozenset()).is_mentioned_in("[1234567]") is True
