"""Template sends are checked before they are accepted, wherever they come from."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from messaging.models import BusinessNumber, Contact, Message, TemplateCategory
from messaging.services import send_template_message
from messaging.whatsapp.outbound import InvalidContent
from tests.messaging.factories import number
from tests.messaging.message_templates.rows import synced_template

pytestmark = pytest.mark.django_db
TO = "+1 650 253 0000"
BODY = [{"type": "BODY", "text": "Hi {{1}}"}]


@pytest.fixture(autouse=True)
def ours() -> BusinessNumber:
    """The default number belongs to the synced account."""
    synced_template(components=BODY)
    return number(waba_id="77")


def data(*parameters: str, **changes: Any) -> dict[str, Any]:
    texts = [{"type": "text", "text": each} for each in parameters]
    return {"name": "offer", "language": "en", "components": [{"type": "body", "parameters": texts}], **changes}


def item(*parameters: str, **changes: Any) -> dict[str, Any]:
    return {"phone_number": TO, "message_type": "template", "message_data": data(*parameters, **changes)}


def test_a_send_that_fits_is_accepted_without_a_warning(api: APIClient) -> None:
    answer = api.post("/messaging/send", item("Ann"), format="json")
    assert (answer.status_code, "warnings" in answer.data) == (202, False)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (item(), "message_data.components[0].parameters"),
        (item("Ann", name="does_not_exist"), "message_data.name"),
        (item("Ann", language="xx"), "message_data.language"),
    ],
)
def test_a_send_that_does_not_fit_is_refused_and_stores_nothing(
    api: APIClient, body: dict[str, Any], place: str
) -> None:
    answer = api.post("/messaging/send", body, format="json")
    assert (answer.status_code, list(answer.data), Message.objects.count()) == (400, [place], 0)


def test_of_a_bulk_only_the_fitting_items_are_accepted(api: APIClient) -> None:
    answer = api.post("/messaging/send/bulk", {"messages": [item("Ann"), item(), item("Bob")]}, format="json")
    assert ["errors" in each for each in answer.data["results"]] == [False, True, False]


def test_a_bulk_makes_one_query_for_all_of_its_templates(api: APIClient) -> None:
    synced_template("bill", components=BODY)
    mixed = [item("Ann", name=name) for name in ("offer", "bill") * 10]
    with CaptureQueriesContext(connection) as made:
        api.post("/messaging/send/bulk", {"messages": mixed}, format="json")
    assert sum("LEFT JOIN messaging_template" in each["sql"] for each in made) == 1


def test_the_check_adds_no_query_to_a_send(api: APIClient) -> None:
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as made:
            api.post("/messaging/send", item("Ann"), format="json")
        counts.append(sum("messaging_template " in each["sql"] for each in made))
    assert counts[1:] == [0, 0]


def test_a_send_from_python_is_checked_too() -> None:
    with pytest.raises(InvalidContent, match="must have 1 parameter"):
        send_template_message(TO, "offer", "en")


def test_the_send_of_an_account_that_was_never_synced_brings_a_warning(api: APIClient) -> None:
    number(waba_id="88")
    answer = api.post("/messaging/send", item(name="does_not_exist"), format="json")
    assert (answer.status_code, "never synced" in answer.data["warnings"][0]) == (202, True)


def test_the_category_that_was_synced_decides_about_consent(api: APIClient) -> None:
    TemplateCategory.objects.create(name="offer", waba_id="77", category="marketing")
    Contact.objects.create(phone_key="16502530000", phone="16502530000", opted_out_at="2026-01-01T00:00Z")
    answer = api.post("/messaging/send", item("Ann"), format="json")
    assert "opted out" in str(answer.data["phone_number"])


@pytest.mark.parametrize(
    ("category", "to", "answer"),
    [
        ("AUTHENTICATION", "US.13491208655302741918", (400, ["phone_number"])),
        ("AUTHENTICATION", TO, (202, ["id", "status"])),
        ("UTILITY", "US.13491208655302741918", (202, ["id", "status"])),
    ],
)
def test_an_authentication_template_goes_to_no_user_id(
    api: APIClient, category: str, to: str, answer: tuple[int, list[str]]
) -> None:
    synced_template("code", category=category)
    given = api.post("/messaging/send", {**item(name="code", components=[]), "phone_number": to}, format="json")
    assert (given.status_code, sorted(given.data)) == answer
