"""The parameters of a template as fields of a form, and a send made of their values."""

from typing import Any

import pytest

from messaging.sandbox.templates.catalogue import CATALOGUE
from messaging.whatsapp.outbound import validate
from messaging.whatsapp.template_fit import check_fit, needs_of
from messaging.whatsapp.template_form import (
    Parameter,
    Place,
    components_with,
    example_text,
    example_values,
    parameters_of,
)

JSON = dict[str, Any]


def body(text: str, **example: Any) -> JSON:
    return {"type": "BODY", "text": text, **({"example": example} if example else {})}


def header(kind: str, **more: Any) -> JSON:
    return {"type": "HEADER", "format": kind, **more}


def buttons(*given: JSON) -> JSON:
    return {"type": "BUTTONS", "buttons": list(given)}


URL = {"type": "URL", "text": "Track", "url": "https://x.example/o/{{1}}", "example": ["https://x.example/o/47"]}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Soon over", "has_expiration": True}}
CARD = {"components": [header("IMAGE"), body("{{1}}"), buttons(URL)]}
MORE: dict[str, tuple[list[JSON], str]] = {
    "two numbers in another order": ([body("{{2}} of {{1}}")], "UTILITY"),
    "video": ([header("VIDEO"), body("Look")], "MARKETING"),
    "location": ([header("LOCATION"), body("Here")], "UTILITY"),
    "product": ([header("PRODUCT"), body("This")], "MARKETING"),
    "header text": ([header("TEXT", text="Hi {{name}}"), body("Bye {{name}}")], "UTILITY"),
    "offer": ([body("Buy"), OFFER, buttons({"type": "COPY_CODE", "example": "ONE"}, URL)], "MARKETING"),
    "products": ([body("Buy"), buttons({"type": "MPM", "text": "View items"})], "MARKETING"),
    "order": ([body("Pay"), buttons({"type": "ORDER_DETAILS", "text": "Pay"})], "UTILITY"),
    "code without a text": ([{"type": "BODY"}, buttons({"type": "OTP", "otp_type": "ONE_TAP"})], "AUTHENTICATION"),
    "all optional": (
        [
            body("Hello"),
            buttons(*({"type": kind} for kind in ("QUICK_REPLY", "FLOW", "CATALOG", "VOICE_CALL", "PHONE_NUMBER"))),
        ],
        "UTILITY",
    ),
    "an unknown button": ([body("Hello"), buttons({"type": "NEW"})], "UTILITY"),
    "an unknown header": ([header("GIF"), body("Hello")], "MARKETING"),
    "carousel": ([body("{{1}}"), {"type": "CAROUSEL", "cards": [CARD, CARD]}], "MARKETING"),
    "nothing": ([], ""),
}
EVERY = {f"{each.name} {each.language}": (list(each.components), str(each.category)) for each in CATALOGUE} | MORE


@pytest.mark.parametrize("name", EVERY)
def test_a_send_of_the_example_values_fits_the_template(name: str) -> None:
    components, category = EVERY[name]
    parameters = parameters_of(components, category)
    sent = {"name": "x", "language": "en", "components": components_with(parameters, example_values(parameters))}
    validate("template", sent)
    check_fit(needs_of(components, category), sent)


@pytest.mark.parametrize("name", EVERY)
def test_no_two_parameters_have_the_same_key(name: str) -> None:
    keys = [each.key for each in parameters_of(*EVERY[name])]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("components", "examples"),
    [
        ([body("{{1}} {{2}}", body_text=[["a", "b"]])], {"body.1": "a", "body.2": "b"}),
        ([body("{{2}} {{1}}", body_text=[["a", "b"]])], {"body.1": "a", "body.2": "b"}),
        (
            [body("{{who}}", body_text_named_params=[{"param_name": "who", "example": "Ann"}])],
            {"body.who": "Ann"},
        ),
        ([header("TEXT", text="{{1}}", example={"header_text": ["a"]})], {"header.1": "a"}),
        (
            [
                header(
                    "TEXT",
                    text="{{n}}",
                    example={"header_text_named_params": [{"param_name": "n", "example": "a"}]},
                )
            ],
            {"header.n": "a"},
        ),
        (
            [header("IMAGE", example={"header_handle": ["https://x.example/a.jpg"]})],
            {"header": "https://x.example/a.jpg"},
        ),
        ([header("IMAGE", example={"header_handle": "odd"})], {"header": ""}),
        ([buttons(URL)], {"buttons.0": "47"}),
        ([buttons({"type": "COPY_CODE", "example": "ONE"})], {"buttons.0": "ONE"}),
        ([buttons({"type": "COPY_CODE", "example": ["ONE"]})], {"buttons.0": "ONE"}),
        ([body("{{1}}", body_text="odd")], {"body.1": "odd"}),
        ([body("{{1}}", body_text=[])], {"body.1": ""}),
        ([body("{{1}}", body_text=7)], {"body.1": ""}),
    ],
)
def test_the_examples_are_those_of_meta(components: list[JSON], examples: dict[str, str]) -> None:
    assert {each.key: each.example for each in parameters_of(components)} == examples


def test_a_parameter_says_where_it_stands_and_what_it_takes() -> None:
    (first, *_, last) = parameters_of([header("IMAGE"), body("{{who}}"), buttons(URL)])
    assert first == Parameter("header", Place.HEADER, "image", "Header")
    assert last == Parameter("buttons.0", Place.BUTTON, "text", "Track", button=0, sub_type="url", example="47")


def test_the_button_of_a_code_repeats_the_body() -> None:
    parameters = parameters_of(*EVERY["one_time_code en"])
    assert components_with(parameters, {"body.1": "123456"}) == [
        {"type": "body", "parameters": [{"type": "text", "text": "123456"}]},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "123456"}]},
    ]


def test_a_parameter_without_a_value_is_left_out() -> None:
    assert components_with(parameters_of([body("{{1}}")]), {}) == []


def test_each_card_of_a_carousel_has_its_values() -> None:
    parameters = parameters_of(*EVERY["carousel"])
    (_, carousel) = components_with(parameters, {"body.1": "a", "cards.0.body.1": "b", "cards.1.header": "c"})
    assert carousel["cards"] == [
        {"card_index": 0, "components": [{"type": "body", "parameters": [{"type": "text", "text": "b"}]}]},
        {
            "card_index": 1,
            "components": [{"type": "header", "parameters": [{"type": "image", "image": {"link": "c"}}]}],
        },
    ]


def test_a_text_is_shown_with_its_examples() -> None:
    assert example_text("Hi {{ who }}, {{2}}", {"who": "Ann"}) == "Hi Ann, {{2}}"
