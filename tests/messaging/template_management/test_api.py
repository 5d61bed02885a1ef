"""Templates by the API."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from messaging.models import Hold, HoldKind, Template
from messaging.template_management.template_holds import is_held
from tests.messaging.factories import number
from tests.messaging.message_templates.rows import synced_template

pytestmark = pytest.mark.django_db
PATH = "/messaging/templates"


def listed(api: APIClient, **query: str) -> list[str]:
    answer = api.get(PATH, query)
    assert answer.status_code == 200, answer.content
    return [f"{row['name']} {row['language']}" for row in answer.json()["results"]]


def detail(api: APIClient, **facts: Any) -> dict[str, Any]:
    return dict(api.get(f"{PATH}/{synced_template(**facts).pk}").json())


def test_a_template_has_what_meta_says_of_it(api: APIClient) -> None:
    row = synced_template(quality="GREEN", parameter_format="NAMED", reason="why")
    (found,) = api.get(PATH).json()["results"]
    assert found.pop("updated_at")
    assert found == {
        "id": row.pk, "account": "77", "name": "offer", "language": "en", "template_id": "1", "category": "UTILITY",
        "status": "APPROVED", "reason": "why", "quality": "GREEN", "parameter_format": "NAMED", "held": False,
        "removed_at": None,
    }  # fmt: skip


def test_the_list_is_sorted_by_name_and_language(api: APIClient) -> None:
    for name, language in (("b", "en"), ("a", "en"), ("a", "de")):
        synced_template(name, language)
    assert listed(api) == ["a de", "a en", "b en"]


def test_pages_of_one_name_in_many_languages_have_each_template_once(api: APIClient) -> None:
    languages = [f"{first}{second}" for first in "abc" for second in "abc"]
    for language in languages:
        synced_template("offer", language)
    url, found = f"{PATH}?page_size=2", []
    while url:
        page = api.get(url).json()
        found += [row["language"] for row in page["results"]]
        url = page["next"]
    assert found == languages


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"account": "88"}, ["sale de"]),
        ({"name": "offer"}, ["offer en"]),
        ({"name": "off"}, []),
        ({"language": "de"}, ["sale de"]),
        ({"status": "paused"}, ["sale de"]),
        ({"category": "MARKETING"}, ["sale de"]),
        ({"search": "FFE"}, ["offer en"]),
        ({"search": "%"}, []),
        ({"status": "DELETED"}, ["old en"]),
        ({"name": "old"}, []),
        ({"search": "e", "language": "en"}, ["offer en"]),
    ],
)
def test_a_filter_finds_what_it_names(api: APIClient, query: dict[str, str], expected: list[str]) -> None:
    synced_template()
    synced_template("sale", "de", "88", status="PAUSED", category="MARKETING")
    synced_template("old", status="DELETED", removed_at="2026-01-01T00:00Z")
    assert listed(api, **query) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [("langauge=en", "langauge"), ("page_size=0", "page_size"), ("name=a%00", "name"), ("search=%00", "search")],
)
def test_a_bad_parameter_is_refused_by_name(api: APIClient, query: str, field: str) -> None:
    answer = api.get(f"{PATH}?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [field])


# `p=\0`, in the form of a cursor.
@pytest.mark.parametrize("cursor", ["nonsense", "cD0lMDA="])
def test_a_cursor_that_is_not_ours_is_a_404(api: APIClient, cursor: str) -> None:
    assert api.get(PATH, {"cursor": cursor}).status_code == 404


def test_a_page_makes_a_fixed_number_of_queries(api: APIClient) -> None:
    synced_template()
    listed(api)
    with CaptureQueriesContext(connection) as of_one:
        listed(api)
    for language in ("aa", "bb", "cc"):
        synced_template("offer", language)
    with CaptureQueriesContext(connection) as of_four:
        listed(api)
    assert len(of_four) == len(of_one)


@pytest.mark.parametrize(
    ("hold", "held"),
    [
        ({"key": "offer"}, True),
        ({"key": "offer", "language": "en"}, True),
        ({"key": "offer", "waba_id": "77", "language": "en"}, True),
        ({"key": "offer", "language": "de"}, False),
        ({"key": "offer", "waba_id": "88"}, False),
        ({"key": "sale"}, False),
        ({"key": "", "waba_id": "77"}, True),
        ({"key": "", "waba_id": "88"}, False),
        ({"key": "offer", "kind": HoldKind.CAMPAIGN}, False),
        ({"key": "offer", "resumed_at": "2026-01-01T00:00Z"}, False),
    ],
)
def test_a_template_is_held_while_a_hold_covers_it(api: APIClient, hold: dict[str, Any], held: bool) -> None:
    synced_template()
    Hold.objects.create(**{"kind": HoldKind.TEMPLATE, "by": "system", **hold})
    listed = api.get(PATH).json()["results"]
    in_admin = list(Template.objects.filter(is_held()))
    assert ([row["held"] for row in listed], len(in_admin)) == ([held], held)


@pytest.mark.parametrize(("waba_id", "held"), [("77", True), ("88", False)])
def test_the_hold_of_a_number_covers_the_templates_of_its_account(api: APIClient, waba_id: str, held: bool) -> None:
    synced_template()
    Hold.objects.create(kind=HoldKind.TEMPLATE, key="offer", by="ann", number=number(waba_id=waba_id))
    assert [row["held"] for row in api.get(PATH).json()["results"]] == [held]


def test_one_template_has_its_components_and_parameters(api: APIClient) -> None:
    body = {"type": "BODY", "text": "Hi {{name}}", "example": {"body_text_named_params": [
        {"param_name": "name", "example": "Ann"}]}}  # fmt: skip
    found = detail(api, components=[body])
    assert (found["components"], found["parameters"]) == (
        [body],
        [
            {
                "key": "body.name", "place": "body", "kind": "text", "label": "{{name}}", "name": "name",
                "required": True, "card": None, "button": None, "sub_type": "", "max_length": 32_765,
                "example": "Ann", "same_as": "",
            }
        ],
    )  # fmt: skip


def test_the_example_of_a_template_is_a_send(api: APIClient) -> None:
    found = detail(api, components=[{"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["Ann"]]}}])
    number(waba_id="77")
    sent = {"phone_number": "+15551234567", "message_type": "template", "message_data": found["example"]}
    assert api.post("/messaging/send?estimate=true", sent, format="json").status_code == 200


def test_one_template_says_why_it_is_held_and_until_when(api: APIClient) -> None:
    Hold.objects.create(
        kind=HoldKind.TEMPLATE, key="offer", by="system", reason="paused", since="2026-01-01T00:00Z",
        until="2026-01-01T03:00Z",
    )  # fmt: skip
    assert detail(api)["holds"] == [
        {
            "reason": "paused", "since": "2026-01-01T00:00:00Z", "until": "2026-01-01T03:00:00Z", "language": "",
            "sender": None,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("pk", ["0", "99999999999999999999999999"])
def test_an_unknown_id_is_a_404(api: APIClient, pk: str) -> None:
    assert api.get(f"{PATH}/{pk}").json() == {"detail": "No template has this id."}
