"""The search of the message list."""

import pytest

from messaging.messages.search import peers_matching, search_messages
from messaging.models import Message
from tests.messaging.factories import pending

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(db: None) -> list[Message]:
    first, second, third = pending(3)
    Message.objects.filter(pk=first.pk).update(
        wamid="wamid.A", reference="order 7", campaign="spring", peer="4915112345678"
    )
    Message.objects.filter(pk=second.pk).update(reference="spring", peer="US.13491208655302741918")
    return [first, second, third]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("wamid.A", [0]),
        ("wamid.B", []),
        (" wamid.A ", [0]),
        ("wamid.\0A", [0]),
        ("order 7", [0]),
        ("spring", [0, 1]),
        ("Spring", []),
        ("+49 151 12345678", [0]),
        ("US.13491208655302741918", [1]),
        ("", [0, 1, 2]),
        ("\0 ", [0, 1, 2]),
    ],
)
def test_a_term_finds_a_message_by_what_names_it(term: str, found: list[int], rows: list[Message]) -> None:
    assert set(search_messages(Message.objects.all(), term)) == {rows[n] for n in found}


def test_an_id_finds_its_message(rows: list[Message]) -> None:
    assert list(search_messages(Message.objects.all(), f" {str(rows[2].pk).upper()} ")) == [rows[2]]


@pytest.mark.parametrize(
    ("term", "peers"),
    [
        ("", set()),
        (" 49 151 ", {"49 151", "49151"}),
        ("US.134", {"US.134", "134"}),
        ("Ada", {"Ada"}),
    ],
)
def test_a_number_is_found_with_and_without_separators(term: str, peers: set[str]) -> None:
    assert peers_matching(term) == peers
