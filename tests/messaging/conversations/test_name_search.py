"""Search of contacts by a part of their name; test_list.py has the pages that search."""

import pytest

from messaging.conversations.name_search import contacts_named, grams_of, normalized_name
from messaging.models import Contact


@pytest.mark.parametrize(
    ("term", "grams"), [("a", ["a"]), ("ab", ["ab"]), ("abc", ["abc"]), ("abcda", ["abc", "bcd", "cda"])]
)
def test_a_term_is_looked_up_by_its_pieces_of_three_letters(term: str, grams: list[str]) -> None:
    assert grams_of(term) == grams


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["name", "username"])
def test_a_name_is_found_by_its_text_and_not_by_its_grams_alone(column: str) -> None:
    for text in ("xabcabx", "cabca"):  # the second has the grams of the term in another order
        Contact.objects.create(phone_key=text, **{column: text})
    assert [getattr(row, column) for row in contacts_named("abcab")] == ["xabcabx"]


@pytest.mark.parametrize(
    ("text", "plain"), [("a\u0300b\u036fc", "abc"), ("a\0b", "ab"), ("Ærø", "aero"), (" A  b ", "a b")]
)
def test_a_name_is_compared_without_accents_and_spaces(text: str, plain: str) -> None:
    assert normalized_name(text) == plain
