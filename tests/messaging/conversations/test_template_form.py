"""The form of a template reply: its fields, its preview, and the send."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.conversations.template_form import MAX_TEMPLATES, Preview, TemplateForm, template_form, templates_of
from messaging.models import BusinessNumber, Direction, Message, Template
from tests.messaging.conversations.factories import LIST, logged_in, wrote
from tests.messaging.message_templates.rows import synced_template

pytestmark = pytest.mark.django_db
WABA = "77"
TRACK = {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}", "example": ["https://example.com/17"]}
COUPON = {"type": "COPY_CODE", "example": "SPRING25"}
BODY = {"type": "BODY", "text": "Hello {{1}}, order {{2}} comes.", "example": {"body_text": [["Ann", "17"]]}}
NAMED = {
    "type": "BODY",
    "text": "Order {{order}} is {{state}}.",
    "example": {"body_text_named_params": [{"param_name": "order", "example": "17"}]},
}
TEXT_HEADER = {"type": "HEADER", "format": "TEXT", "text": "For {{1}}", "example": {"header_text": ["Ann"]}}


def part(kind: str) -> dict[str, Any]:
    return {"type": "HEADER", "format": kind}


def buttons(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(listed)}


def form(*components: dict[str, Any], category: str = "UTILITY", **typed: str) -> TemplateForm:
    row = Template(name="offer", language="en", components=list(components), category=category)
    return TemplateForm(row, {name.replace("__", "."): value for name, value in typed.items()})


FIELDS: list[tuple[TemplateForm, list[tuple[str, str, str]]]] = [
    (form(BODY), [("body.1", "Body: 1", "Ann"), ("body.2", "Body: 2", "17")]),
    (form({**BODY, "text": "Order {{2}} of {{1}}"}), [("body.1", "Body: 1", "Ann"), ("body.2", "Body: 2", "17")]),
    (form(NAMED), [("body.order", "Body: order", "17"), ("body.state", "Body: state", "")]),
    (form(TEXT_HEADER), [("header.1", "Header: 1", "Ann")]),
    (form(part("IMAGE")), [("header", "Address (https) of the image", "")]),
    (form(buttons(TRACK)), [("buttons.0", "Ending of the link of button “Track”", "17")]),
    (form(buttons(COUPON)), [("buttons.0", "Code of button “Copy code”", "SPRING25")]),
    (form(buttons({"type": "QUICK_REPLY", "text": "Thanks"}), {"type": "BODY", "text": "Hello"}), []),
    (form({"type": "BODY"}, buttons({"type": "OTP", "text": "Copy"}), category="AUTHENTICATION"),
     [("body.1", "Body: 1", "")]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "fields"), FIELDS)
def test_a_template_has_a_field_for_each_parameter(given: TemplateForm, fields: list[tuple[str, str, str]]) -> None:
    assert [(field.name, field.label, field.example) for field in given.fields] == fields


@pytest.mark.parametrize(
    ("given", "components"),
    [
        (form({"type": "BODY", "text": "Hello"}), None),
        (
            # Meta takes numbered parameters in the order of their numbers, wherever the text has them.
            form({"type": "BODY", "text": "Order {{2}} of {{1}} comes."}, body__1="Ann", body__2="17"),
            [{"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": "17"}]}],
        ),
        (
            form(NAMED, body__order="17", body__state=" late "),
            [{"type": "body", "parameters": [
                {"type": "text", "text": "17", "parameter_name": "order"},
                {"type": "text", "text": "late", "parameter_name": "state"},
            ]}],
        ),
        (
            form(part("DOCUMENT"), buttons({"type": "QUICK_REPLY"}, TRACK), header="https://example.com/a.pdf",
                 buttons__1="17"),
            [
                {"type": "header", "parameters": [
                    {"type": "document", "document": {"link": "https://example.com/a.pdf"}}]},
                {"type": "button", "sub_type": "url", "index": 1, "parameters": [{"type": "text", "text": "17"}]},
            ],
        ),
        (
            form(buttons(COUPON), buttons__0="SPRING25"),
            [{"type": "button", "sub_type": "copy_code", "index": 0,
              "parameters": [{"type": "coupon_code", "coupon_code": "SPRING25"}]}],
        ),
        (
            form({"type": "BODY"}, buttons({"type": "OTP"}), category="AUTHENTICATION", body__1="123456"),
            [
                {"type": "body", "parameters": [{"type": "text", "text": "123456"}]},
                {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "123456"}]},
            ],
        ),
    ],
    ids=["none", "numbers out of order", "named", "file and link", "coupon", "code"],
)  # fmt: skip
def test_the_fields_make_the_components_of_the_send(given: TemplateForm, components: Any) -> None:
    assert given.data().get("components") == components


def test_the_preview_fills_in_what_is_typed_and_else_the_examples() -> None:
    given = form(TEXT_HEADER, BODY, {"type": "FOOTER", "text": "Shop"}, buttons(TRACK, COUPON), body__2="18")
    assert given.preview() == Preview("", "For Ann", "Hello Ann, order 18 comes.", "Shop", ("Track", "Copy code"))


def test_the_preview_keeps_a_parameter_without_value_and_example() -> None:
    assert form(NAMED).preview().body == "Order 17 is {{state}}."


@pytest.mark.parametrize(
    ("given", "preview"),
    [
        (form({"type": "body"}, category="AUTHENTICATION"), Preview("", "", "{{1}} is your code.", "", ())),
        (form({"type": "BODY"}), Preview("", "", "", "", ())),
        (form(), Preview("", "", "", "", ())),
        (
            form(part("VIDEO"), {"type": "BUTTONS", "buttons": [1, {"text": "Go"}]}),
            Preview("video", "", "", "", ("Go",)),
        ),
        (form({"type": "BUTTONS", "buttons": 3}, part("LOCATION")), Preview("", "", "", "", ())),
        (form({"text": "no type"}, {"type": None}), Preview("", "", "", "", ())),
    ],
    ids=["a code", "no text", "nothing", "a file and odd buttons", "no list", "no type"],
)
def test_the_preview_leaves_out_missing_and_malformed_parts(given: TemplateForm, preview: Preview) -> None:
    assert given.preview() == preview


def test_the_first_empty_field_is_missing() -> None:
    assert [form(BODY, body__1=" ").missing(), form(BODY, body__1="A").missing(), form().missing()] == [
        "Body: 1", "Body: 2", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("message_data.components[0].parameters[0]", "Address (https) of the image"),
        ("message_data.components[0].parameters[0].image.link", "Address (https) of the image"),
        ("message_data.components[1].parameters[0].text", "Body: 1"),
        ("message_data.components[1].parameters[1]", "Body: 2"),
        ("message_data.components[1].parameters[10]", ""),
        ("message_data.components[2].parameters[0].text", "Ending of the link of button “Track”"),
        ("message_data.components[1]", ""),
        ("message_data.name", ""),
    ],
)
def test_a_place_of_the_data_has_the_label_of_its_field(place: str, label: str) -> None:
    assert form(part("IMAGE"), BODY, buttons(TRACK)).label_of(place) == label


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (form({"type": "CAROUSEL", "cards": [{"components": []}]}), "a carousel"),
        (form(part("LOCATION")), "a location as its header"),
        (form(buttons({"type": "MPM"})), "a button with parameters of its own"),
        (form({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"has_expiration": True}}), "an offer with an end"),
        (form(BODY, buttons(TRACK)), ""),
    ],
    ids=["carousel", "location", "products", "offer", "none"],
)
def test_a_template_that_the_form_cannot_send_says_what_to_do(given: TemplateForm, problem: str) -> None:
    text = f"This template has {problem}, which this form does not have: send it by the API."
    assert given.problem == (text if problem else "")


def test_a_template_without_parameters_is_sent_by_name_and_language() -> None:
    assert form({"type": "BODY", "text": "Hello"}).data() == {"name": "offer", "language": "en"}
    assert list(form(BODY, body__1="a", body__2="b").data()) == ["name", "language", "components"]


@pytest.mark.parametrize(
    ("count", "search", "listed", "is_cut"),
    [(200, "", 200, False), (201, "", 200, True), (201, "wave_200", 1, False), (201, f"wave_{'0' * 508}", 0, False)],
)
def test_two_hundred_templates_are_listed(count: int, search: str, listed: int, is_cut: bool, asked: Message) -> None:
    first = synced_template("wave_0")
    facts = {"account": first.account, "language": "en", "status": "APPROVED"}
    Template.objects.bulk_create(Template(name=f"wave_{n}", **facts) for n in range(1, count))
    found = templates_of(number_of(asked), search)
    assert (len(found.listed), found.is_cut) == (listed, is_cut)


def test_a_search_is_cut_to_the_length_of_the_longest_name(asked: Message) -> None:
    row = synced_template("n" * 512)
    assert [templates_of(number_of(asked), "n" * length).listed for length in (512, 513)] == [(row,)] * 2


def test_templates_are_listed_by_name_and_language_and_the_chosen_one_once(asked: Message) -> None:
    rows = [synced_template(name, language) for name, language in (("b", "de"), ("a", "en"), ("a", "de"))]
    in_order = (rows[2], rows[1], rows[0])
    assert templates_of(number_of(asked)).listed == in_order
    assert templates_of(number_of(asked), chosen=rows[0]).listed == in_order
    assert templates_of(number_of(asked), "b", chosen=rows[1]).listed == (rows[1], rows[0])


@pytest.mark.parametrize(
    "facts", [{"removed_at": "2026-01-01T00:00Z"}, {"status": "REJECTED"}, {"waba_id": "78"}], ids=str
)
def test_a_template_that_cannot_be_sent_has_no_form(facts: dict[str, Any], asked: Message) -> None:
    other = synced_template("other", **facts)
    mine = synced_template("offer")
    found = [template_form(number_of(asked), {"template": str(row.pk)}) for row in (other, mine)]
    assert [one and one.template for one in found] == [None, mine]


def number_of(message: Message) -> BusinessNumber:
    return BusinessNumber.objects.get(pk=message.number_id)


@pytest.fixture
def asked() -> Message:
    """A message to a number of a synced account."""
    message = wrote()
    BusinessNumber.objects.filter(pk=message.number_id).update(waba_id=WABA)
    return message


@pytest.fixture
def operator() -> Client:
    return logged_in("view_conversation", "reply_conversation")


def reply(client: Client, message: Message, template: Template, **typed: str) -> Any:
    fields = {name.replace("__", "."): value for name, value in typed.items()}
    given = {"kind": "template", "template": str(template.pk), "form_id": "form-1", **fields}
    return client.post(f"{LIST}{message.pk}/reply/", given)


def sent() -> list[Message]:
    return list(Message.objects.filter(direction=Direction.OUTBOUND))


def test_the_chosen_template_is_sent_with_its_parameters(operator: Client, asked: Message) -> None:
    answer = reply(operator, asked, synced_template(components=[BODY]), body__1="Ann", body__2="17")
    (message,) = sent()
    parameters = message.content["components"][0]["parameters"]
    assert (answer.status_code, message.template, [one["text"] for one in parameters]) == (302, "offer", ["Ann", "17"])


@pytest.mark.parametrize(
    ("components", "typed", "words"),
    [
        ([BODY], {"body__1": "Ann"}, "Fill in “Body: 2”."),
        ([NAMED], {"body__order": "a\tb", "body__state": "late"}, "Body: order must have no line break"),
        ([part("IMAGE")], {"header": "nowhere"}, "Address (https) of the image"),
        ([buttons(TRACK)], {"buttons__0": "a     b"}, "Ending of the link of button “Track” must have"),
    ],
)
def test_an_error_names_the_field_and_what_was_typed_stays(
    components: list[dict[str, Any]], typed: dict[str, str], words: str, operator: Client, asked: Message
) -> None:
    answer = reply(operator, asked, synced_template(components=components), **typed)
    page = answer.content.decode()
    assert (answer.status_code, words in page, sent()) == (400, True, [])
    assert all(value in page for value in typed.values())


@pytest.mark.parametrize("facts", [{"status": "PAUSED"}, {"waba_id": "78"}], ids=["paused", "of another account"])
def test_only_approved_templates_of_the_account_are_offered_and_sent(
    facts: dict[str, Any], operator: Client, asked: Message
) -> None:
    other = synced_template("other", **facts)
    synced_template("offer")
    page = operator.get(f"{LIST}{asked.pk}/change/").content.decode()
    answer = reply(operator, asked, other)
    assert ("other · en" in page, "offer · en" in page, answer.status_code, sent()) == (False, True, 400, [])


def test_the_fields_of_a_chosen_template_come_with_its_preview(operator: Client, asked: Message) -> None:
    template = synced_template(components=[BODY])
    answer = operator.post(f"{LIST}{asked.pk}/template/", {"template": template.pk, "body.2": "<b>"})
    page = answer.content.decode()
    assert ('name="body.1"' in page, "Hello Ann, order &lt;b&gt; comes." in page) == (True, True)


def test_the_preview_comes_alone_where_it_is_asked_for(operator: Client, asked: Message) -> None:
    template = synced_template(components=[BODY])
    asks = {"HX-Target": "template-preview"}
    answer = operator.post(f"{LIST}{asked.pk}/template/", {"template": template.pk, "body.1": "Bob"}, headers=asks)
    page = answer.content.decode()
    assert ("Hello Bob, order 17 comes." in page, "<input" in page) == (True, False)


@pytest.fixture
def crowd() -> list[Template]:
    """More templates than the form lists, `wave_0` to `wave_200`, and `wave_of_joy` after all of them."""
    first = synced_template("wave_0")
    facts = {"account": first.account, "language": "en", "status": "APPROVED", "template_id": "1", "components": [BODY]}
    rows = [Template(name=f"wave_{number}", **facts) for number in range(1, MAX_TEMPLATES)]
    return [first, *Template.objects.bulk_create([*rows, Template(name="wave_of_joy", **facts)])]


def test_a_form_that_cannot_list_all_templates_says_so_and_has_a_search(
    operator: Client, asked: Message, crowd: list[Template]
) -> None:
    page = operator.get(f"{LIST}{asked.pk}/change/").content.decode()
    assert page.count("<option value=") == MAX_TEMPLATES + 1
    assert ("wave_of_joy" in page, "The first 200 are listed" in page, 'name="template_search"' in page) == (
        False, True, True,
    )  # fmt: skip


def test_a_form_that_lists_all_templates_has_no_search(operator: Client, asked: Message) -> None:
    synced_template("offer")
    page = operator.get(f"{LIST}{asked.pk}/change/").content.decode()
    assert ("offer · en" in page, "template_search" in page) == (True, False)


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("joy", ["wave_of_joy"]),
        (" WAVE_19 ", ["wave_19", *(f"wave_19{digit}" for digit in range(10))]),
        ("%", []),
        ("a\0b", []),
        ("x" * 9000, []),
    ],
    ids=["a part of the name", "in either case", "a wildcard", "a null character", "very long"],
)
def test_a_search_finds_templates_beyond_those_that_are_listed(
    search: str, names: list[str], operator: Client, asked: Message, crowd: list[Template]
) -> None:
    answer = operator.post(f"{LIST}{asked.pk}/templates/", {"template_search": search})
    page = answer.content.decode()
    assert (answer.status_code, re.findall(r">(\w+) · en<", page)) == (200, names)
    assert ("No template is found" in page) == (not names)


def test_a_refused_reply_keeps_a_template_that_only_a_search_has_found(
    operator: Client, asked: Message, crowd: list[Template]
) -> None:
    answer = reply(operator, asked, crowd[-1], body__1="Ann")
    page = answer.content.decode()
    assert (answer.status_code, f'<option value="{crowd[-1].pk}" selected>' in page) == (400, True)


def test_who_may_not_reply_gets_no_templates(asked: Message) -> None:
    answer = logged_in("view_conversation").post(f"{LIST}{asked.pk}/templates/", {"template_search": "o"})
    assert answer.status_code == 403


def test_the_list_of_templates_reads_no_components(operator: Client, asked: Message) -> None:
    synced_template("offer")
    with CaptureQueriesContext(connection) as made:
        operator.get(f"{LIST}{asked.pk}/change/")
    (query,) = [each["sql"] for each in made if 'FROM "messaging_template"' in each["sql"]]
    assert "components" not in query


@pytest.mark.parametrize(
    "form", [{}, *({"template": key} for key in ("", "x", "9" * 17, "9" * 18, "9" * 30, "٣", "0", "-1"))], ids=str
)
def test_an_unknown_template_has_no_fields(form: dict[str, str], operator: Client, asked: Message) -> None:
    answer = operator.post(f"{LIST}{asked.pk}/template/", form)
    assert (answer.status_code, answer.content.decode().strip()) == (200, "")
