"""The list of conversations."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from messaging.conversations import queries
from messaging.conversations.admin_contacts import MOST_FOUND, contacts_matching
from messaging.conversations.name_search import contacts_named, normalized_name
from messaging.conversations.queries import latest_conversations
from messaging.models import BusinessNumber, Contact, Message
from messaging.models.name_search import NormalizedName
from tests.messaging.conversations.factories import ANN, LIST, logged_in, now, wrote
from tests.messaging.factories import number, pending

pytestmark = pytest.mark.django_db
BOB = "15551230002"


def peers(**asked: Any) -> list[str]:
    return [one.latest.peer for one in latest_conversations(50, **asked).conversations]


def page(client: Client, **query: Any) -> str:
    return client.get(LIST, query).content.decode()


def test_the_latest_conversation_is_first_and_each_is_listed_once() -> None:
    for sender in (ANN, BOB, ANN):
        wrote(sender=sender)
    assert peers() == [ANN, BOB]


def test_the_latest_message_is_the_one_by_metas_time() -> None:
    wrote("text", "the newer", at=now() - 10)
    wrote("text", "the older, delayed", at=now() - 1000)
    assert "the newer" in page(logged_in("view_conversation"))


def test_each_business_number_has_its_own_conversation() -> None:
    (first,) = pending(1, peer=ANN)
    other = BusinessNumber.objects.create(phone_number_id="7", display_phone_number="15550000007")
    Message.objects.create(number=other, peer=ANN, direction="inbound", type="text", status="received")
    assert peers() == [ANN, ANN]
    assert peers(number=first.number_id) == [ANN]


def test_a_contact_under_number_and_user_id_is_one_conversation() -> None:
    wrote()
    Contact.objects.update(user_id="US.123")
    Message.objects.create(
        number=number(),
        peer="US.123",
        contact=Contact.objects.get(),
        direction="inbound",
        type="text",
        status="received",
    )
    assert len(latest_conversations(50).conversations) == 1


def test_unanswered_lists_only_conversations_that_wait_for_a_reply() -> None:
    wrote(sender=BOB)
    wrote()
    pending(1, peer=ANN)
    assert peers(unanswered=True) == [BOB]


def test_a_reaction_needs_no_reply() -> None:
    wrote("reaction", {"message_id": "wamid.X", "emoji": "👍"})
    assert peers(unanswered=True) == []


def test_pages_follow_each_other_without_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "SCANNED", 3)
    pending(7)
    wrote()
    wrote()
    found, before = [], None
    for _ in range(6):
        one = latest_conversations(2, before=before)
        found += [row.latest.peer for row in one.conversations]
        before = one.older
        if before is None:
            break
    assert (len(found), len(set(found)), before) == (8, 8, None)


@pytest.mark.parametrize("term", [ANN, "+1 555 123-0001", "ann"])
def test_a_conversation_is_found(term: str) -> None:
    wrote()
    wrote(sender=BOB, name="Bob")
    found = page(logged_in("view_conversation"), q=term)
    assert ("Ann" in found, "Bob" in found) == (True, False)


@pytest.mark.parametrize(("age_s", "word"), [(60, "window open"), (90_000, "window closed")])
def test_the_list_shows_whether_the_window_is_open(age_s: int, word: str) -> None:
    wrote(at=now() - age_s)
    assert f">{word}</span>" in page(logged_in("view_conversation"))


@pytest.mark.parametrize("query", [{"number": "x"}, {"number": "9" * 17}, {"unanswered": "1"}, {"q": "%"}])
def test_invalid_filters_are_not_a_server_error(query: dict[str, str]) -> None:
    wrote()
    assert logged_in("view_conversation").get(LIST, query).status_code == 200


def test_an_invalid_page_position_is_a_404() -> None:
    assert logged_in("view_conversation").get(LIST, {"before": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("permissions", "shown"), [((), False), (("reply_conversation",), False), (("view_conversation",), True)]
)
def test_the_page_of_a_contact_shows_messages_to_those_alone_who_may_look_at_conversations(
    permissions: tuple[str, ...], shown: bool
) -> None:
    wrote("text", "about my illness")
    page = f"/admin/messaging/contact/{Contact.objects.get().pk}/change/"
    content = logged_in("view_contact", *permissions).get(page).content.decode()
    assert (ANN in content, "about my illness" in content) == (True, shown)


def test_the_message_permission_alone_does_not_show_conversations() -> None:
    assert logged_in("view_message").get(LIST).status_code == 403


def test_names_and_texts_are_escaped() -> None:
    wrote("text", "<script>1</script>", name="<script>2</script>")
    assert "<script>1" not in page(logged_in("view_conversation")) + page(
        logged_in("view_contact", "view_conversation")
    )


NAMES = [
    ("Jos\u00e9 Garc\u00eda", "jose garcia"),
    ("Jose\u0301 Garci\u0301a", "JOS\u00c9"),
    ("Jos\u00e9  Garc\u00eda", "Jos\u00e9 Garc\u00eda"),
    ("Jose Garcia", "jose\u0301  garcia"),
    ("Strau\u00df", "strauss"),
    ("S\u00f8ren", "soren"),
    ("\u0141ukasz", "lukasz"),
    ("\uff2d\uff41\uff52\uff49\uff41", "maria"),
    ("Maria\u00a0Silva", "maria silva"),
    ("\u0130lker", "ilker"),
]


@pytest.mark.parametrize(("name", "term"), NAMES)
def test_a_name_is_found_in_any_spelling(name: str, term: str) -> None:
    row = wrote(name=name)
    assert str(row.pk) in page(logged_in("view_conversation"), q=term)


@pytest.mark.parametrize(("name", "term"), NAMES)
def test_a_contact_is_found_by_name_in_any_spelling(name: str, term: str) -> None:
    contact = Contact.objects.create(phone="15551230000", phone_key="15551230000", name=name)
    found = logged_in("view_contact").get("/admin/messaging/contact/", {"q": term}).content.decode()
    assert f"/admin/messaging/contact/{contact.pk}/change/" in found


@pytest.mark.parametrize("term", ["garcia jose", "josefa", "%", "_"])
def test_another_name_is_not_found(term: str) -> None:
    row = wrote(name="Jos\u00e9 Garc\u00eda")
    assert str(row.pk) not in page(logged_in("view_conversation"), q=term)


CONTACTS = 5_000


@pytest.fixture
def many_contacts() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_contact (portfolio, phone_key, phone, name, username, consent_source, first_seen_at,
              last_seen_at)
            SELECT '', '1999' || n, '1999' || n, 'Somebody ' || md5(n::text), '', '', now(), now()
            FROM generate_series(1, %s) AS n
            """,
            [CONTACTS],
        )
        cursor.execute("ANALYZE messaging_contact")


@pytest.mark.slow("stores thousands of contacts")
@pytest.mark.parametrize("term", ["garc\u00eda", "jos", "@ann.b"])
def test_the_name_search_uses_its_index(term: str, many_contacts: None) -> None:
    plan = contacts_named(term).explain()
    assert ("contact_name_grams" in plan, "Seq Scan" in plan) == (True, False)


@pytest.mark.slow("stores thousands of contacts")
def test_the_contact_list_searches_by_index(many_contacts: None) -> None:
    plan = contacts_matching("garc\u00eda").explain()
    assert ("contact_name_grams" in plan, "Seq Scan on messaging_contact" in plan) == (True, False)


@pytest.mark.slow("stores thousands of contacts")
@pytest.mark.parametrize("term", ["s", "so", "somebody", "SOMEBODY "])
def test_a_name_that_thousands_have_finds_the_first_thousand_and_says_so(term: str, many_contacts: None) -> None:
    found = logged_in("view_contact").get("/admin/messaging/contact/", {"q": term})
    assert found.context["cl"].result_count == MOST_FOUND
    assert "More than 1,000 contacts match" in found.content.decode()


@pytest.mark.slow("stores thousands of contacts")
def test_the_search_for_a_name_that_thousands_have_stops_early(many_contacts: None) -> None:
    plan = json.loads(contacts_matching("s")[: MOST_FOUND + 1].explain(analyze=True, format="json"))
    (names,) = (node for node in scans(plan[0]["Plan"]) if node["Actual Rows"] > 1)
    assert names["Actual Rows"] == MOST_FOUND + 1
    assert names.get("Rows Removed by Filter", 0) < MOST_FOUND


def scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Scan" in node["Node Type"] and "Index" not in node["Node Type"]:
        yield node
    for inner in node.get("Plans", ()):
        yield from scans(inner)


@pytest.mark.slow("stores thousands of contacts")
def test_few_matches_are_all_shown_without_a_remark(many_contacts: None) -> None:
    Contact.objects.create(phone_key="1", name="Jos\u00e9 Garc\u00eda")
    found = logged_in("view_contact").get("/admin/messaging/contact/", {"q": "garcia"})
    assert (found.context["cl"].result_count, "contacts match" in found.content.decode()) == (1, False)


@pytest.mark.parametrize(
    "name",
    [
        *(name for name, _ in NAMES),
        "\u0418\u0432\u0430\u043d",
        "  a\tb\u3000c ",
        "\u738b\u5c0f\u660e",
        "\ufb01ancé",
        "",
    ],
)
def test_sql_and_python_normalise_names_alike(name: str) -> None:
    row = Contact.objects.create(phone_key="1", name=name)
    in_sql = Contact.objects.annotate(plain=NormalizedName("name")).get(pk=row.pk).plain
    assert in_sql == normalized_name(name)


@pytest.mark.parametrize("number", ["²", "٣", "1" * 20, "x"])
def test_a_number_that_is_none_filters_nothing(number: str) -> None:
    wrote("text", "still listed")
    assert "still listed" in page(logged_in("view_conversation"), number=number)
