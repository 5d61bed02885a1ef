"""An operator replies."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.access import IdempotentRequest, stored_answer
from messaging.conversations import operator_replies
from messaging.models import AuditEntry, BusinessNumber, Contact, Direction, Message, Priority, TemplateCategory
from tests.messaging.conversations.factories import ANN, LIST, logged_in, now, wrote
from tests.messaging.message_templates.rows import synced_template

pytestmark = pytest.mark.django_db
MAY = ("view_conversation", "reply_conversation")
TEMPLATE = {"kind": "template", "name": "hello_world", "language": "en_US"}


@pytest.fixture
def operator(db: None) -> Client:
    return logged_in(*MAY)


def send(client: Client, message: Message, **typed: str) -> Any:
    form = {"kind": "text", "text": "At nine.", "form_id": "form-1", **typed}
    return client.post(f"{LIST}{message.pk}/reply/", form)


def sent() -> list[Message]:
    return list(Message.objects.filter(direction=Direction.OUTBOUND))


def test_a_reply_has_high_priority(operator: Client) -> None:
    answer = send(operator, wrote())
    (message,) = sent()
    assert answer.status_code == 302
    assert (message.peer, message.text, message.status, message.priority) == (ANN, "At nine.", "pending", Priority.HIGH)


def test_the_replying_account_is_recorded_and_shown(operator: Client) -> None:
    asked = wrote()
    send(operator, asked)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object, entry.details) == ("reply", f"message {sent()[0].pk}", {})
    assert entry.who in operator.get(f"{LIST}{asked.pk}/change/").content.decode()


def test_a_double_click_sends_once(operator: Client) -> None:
    asked = wrote()
    answers = [send(operator, asked).status_code for _ in range(2)]
    assert (answers, len(sent())) == ([302, 302], 1)


def test_a_new_form_sends_again(operator: Client) -> None:
    asked = wrote()
    send(operator, asked)
    send(operator, asked, form_id="form-2")
    assert len(sent()) == 2


def test_one_form_with_other_content_is_refused(operator: Client) -> None:
    asked = wrote()
    send(operator, asked)
    answer = send(operator, asked, text="At ten.")
    assert (answer.status_code, "sent before" in answer.content.decode(), len(sent())) == (400, True, 1)


def test_two_accounts_do_not_share_a_form() -> None:
    asked = wrote()
    send(logged_in(*MAY), asked)
    send(logged_in(*MAY, "view_contact"), asked)
    assert len(sent()) == 2


def test_a_text_in_a_closed_window_is_refused_and_stays_in_the_form(operator: Client) -> None:
    answer = send(operator, wrote(at=now() - 90_000), text="Too late?")
    page = answer.content.decode()
    assert (answer.status_code, sent(), "has closed" in page, "Too late?" in page) == (400, [], True, True)


def test_a_text_in_a_closed_window_is_sent_if_the_policy_is_off(operator: Client, settings: Any) -> None:
    settings.WA_WINDOW_POLICY = "off"
    send(operator, wrote(at=now() - 90_000))
    assert len(sent()) == 1


def test_a_template_in_a_closed_window_is_sent(operator: Client) -> None:
    send(operator, wrote(at=now() - 90_000), **TEMPLATE, parameters="Ann\n\nMonday\n")
    (message,) = sent()
    assert [p["text"] for p in message.content["components"][0]["parameters"]] == ["Ann", "Monday"]


def test_known_templates_are_offered(operator: Client) -> None:
    TemplateCategory.objects.create(name="order_update", category="utility")
    assert '<option value="order_update">' in operator.get(f"{LIST}{wrote().pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"text": "  "}, "The text must have"),
        ({"text": "x" * 5000}, "The text must have"),
        ({"form_id": ""}, "Reload the page"),
        ({"form_id": "é"}, "Reload the page"),
        ({"form_id": "a\0"}, "Reload the page"),
        ({**TEMPLATE, "name": "Not A Name"}, "The template&#x27;s name may have"),
        ({**TEMPLATE, "language": "?"}, "The template&#x27;s language must be"),
        ({"form_id": "x" * 65}, "Reload the page"),
        ({"kind": "template", "template": ""}, "Choose a template."),
        ({**TEMPLATE, "parameters": "a     b"}, "message_data.components[0].parameters[0]"),
    ],
    ids=str,
)
def test_a_refused_reply_shows_the_reason(typed: dict[str, str], words: str, operator: Client) -> None:
    answer = send(operator, wrote(), **typed)
    assert (answer.status_code, words in answer.content.decode(), sent()) == (400, True, [])


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"kind": "text"}, "Reload the page"),
        ({"kind": "text", "form_id": "x"}, "The text must have"),
        ({"kind": "template", "form_id": "x"}, "The template&#x27;s name"),
        ({"kind": "template", "form_id": "x", "name": "hello_world"}, "The template&#x27;s language"),
    ],
    ids=str,
)
def test_a_form_without_a_field_is_refused(form: dict[str, str], words: str, operator: Client) -> None:
    answer = operator.post(f"{LIST}{wrote().pk}/reply/", form)
    assert (answer.status_code, words in answer.content.decode(), sent()) == (400, True, [])


@pytest.mark.parametrize("form_id", ["x", "x" * 64])
def test_a_form_may_have_any_id_that_fits(form_id: str, operator: Client) -> None:
    assert send(operator, wrote(), form_id=form_id).status_code == 302


def test_a_text_is_sent_as_it_was_typed_but_for_spaces_around_it(operator: Client) -> None:
    send(operator, wrote(), text=" One\r\ntwo \r\n")
    assert sent()[0].text == "One\ntwo"


def test_a_typed_template_is_sent_without_spaces_around_its_parts(operator: Client) -> None:
    form = {"kind": "template", "name": " hello_world ", "language": " en_US "}
    send(operator, wrote(), **form)
    send(operator, wrote(), **form, form_id="form-2", parameters=" Ann \n")
    plain, filled = sorted(sent(), key=lambda row: "components" in row.content)
    assert [(row.content["name"], "components" in row.content) for row in (plain, filled)] == [
        ("hello_world", False),
        ("hello_world", True),
    ]
    assert filled.content["components"][0]["parameters"] == [{"type": "text", "text": "Ann"}]


def test_a_typed_template_that_the_account_does_not_have_is_refused(operator: Client) -> None:
    asked = wrote()
    synced_template("offer")
    BusinessNumber.objects.filter(pk=asked.number_id).update(waba_id="77")
    answer = send(operator, asked, **TEMPLATE)
    words = "The template&#x27;s name is not a template of this account."
    assert (answer.status_code, words in answer.content.decode(), sent()) == (400, True, [])


def test_a_window_of_another_number_is_closed_for_this_one(operator: Client) -> None:
    asked = wrote(at=now() - 90_000)
    other = BusinessNumber.objects.create(phone_number_id="7")
    Message.objects.create(number=other, peer=ANN, direction="inbound", type="text", status="received")
    assert (send(operator, asked).status_code, sent()) == (400, [])


def test_a_form_that_another_request_sends_at_the_same_moment_is_sent_once(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = wrote()
    send(operator, asked)
    looks: list[Any] = []

    def look(given: IdempotentRequest) -> str | None:
        looks.append(given)
        return stored_answer(given) if len(looks) > 1 else None

    monkeypatch.setattr(operator_replies, "stored_answer", look)
    assert (send(operator, asked).status_code, len(sent()), AuditEntry.objects.count()) == (302, 1, 1)


def test_a_reply_to_a_blocked_contact_is_refused(operator: Client) -> None:
    asked = wrote()
    Contact.objects.update(blocked_at=timezone.now())
    answer = send(operator, asked)
    words = "Not sent: The contact is blocked."
    assert (answer.status_code, words in answer.content.decode(), sent()) == (400, True, [])


def test_a_marketing_reply_to_an_opted_out_contact_is_refused(operator: Client) -> None:
    asked = wrote()
    Contact.objects.update(opted_out_at=timezone.now())
    TemplateCategory.objects.create(name="hello_world", category="marketing")
    assert (send(operator, asked, **TEMPLATE).status_code, sent()) == (400, [])


def test_a_contact_without_a_phone_number_is_sent_to_by_user_id(operator: Client) -> None:
    asked = wrote()
    Contact.objects.update(phone=None, phone_key=None, user_id="US.123")
    send(operator, asked)
    assert sent()[0].peer == "US.123"


def test_an_account_without_the_reply_permission_cannot_reply_and_sees_no_form() -> None:
    asked, viewer = wrote(), logged_in("view_conversation")
    assert (send(viewer, asked).status_code, sent()) == (403, [])
    assert "composer" not in viewer.get(f"{LIST}{asked.pk}/change/").content.decode()


def test_a_reply_needs_the_forms_token() -> None:
    asked = wrote()
    client = Client(enforce_csrf_checks=True)
    client.cookies = logged_in(*MAY).cookies
    assert (send(client, asked).status_code, sent()) == (403, [])
