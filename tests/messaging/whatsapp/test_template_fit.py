"""Whether the parameters of a send fit a template, and the place that an error names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.whatsapp.outbound import InvalidContent, validate
from messaging.whatsapp.template_fit import check_fit, needs_of, placeholders

C = "message_data.components"


def text(value: str = "x", name: str = "") -> dict[str, Any]:
    return {"type": "text", "text": value, **({"parameter_name": name} if name else {})}


def header(*parameters: Any) -> dict[str, Any]:
    return {"type": "header", "parameters": list(parameters)}


def body(*parameters: Any) -> dict[str, Any]:
    return {"type": "body", "parameters": list(parameters)}


def button(sub_type: str, index: int, *parameters: Any) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": list(parameters)}


def carousel(*cards: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "carousel", "cards": [{"card_index": at, "components": card} for at, card in enumerate(cards)]}


IMAGE = {"type": "image", "image": {"id": "1"}}
VIDEO = {"type": "video", "video": {"id": "1"}}
OFFER = {
    "type": "limited_time_offer",
    "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 9}}],
}
PRICE = {"type": "currency", "currency": {"fallback_value": "1", "code": "EUR", "amount_1000": 1}}
PAYLOAD, COUPON = {"type": "payload", "payload": "p"}, {"type": "coupon_code", "coupon_code": "c"}


def made(*components: dict[str, Any], category: str = "UTILITY") -> tuple[list[dict[str, Any]], str]:
    return list(components), category


def buttons(*given: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(given)}


BODY = {"type": "BODY", "text": "Hi {{1}}, order {{2}}"}
URL = {"type": "URL", "text": "Go", "url": "https://example.com/{{1}}"}
PLAIN = made({"type": "BODY", "text": "Hello"})
TWO = made(BODY)
NAMED = made({"type": "BODY", "text": "Hi {{name}}, order {{order}}"})
TITLED = made({"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}, {"type": "BODY", "text": "Hello"})
PICTURE = made({"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hello"})
BUTTONS = made(
    {"type": "BODY", "text": "Hello"},
    buttons({"type": "QUICK_REPLY"}, URL, {"type": "PHONE_NUMBER"}, {"type": "URL", "url": "https://example.com"}),
)
COPY = made({"type": "BODY", "text": "Hello"}, buttons({"type": "COPY_CODE"}))
LIMITED = made({"type": "LIMITED_TIME_OFFER"}, {"type": "BODY", "text": "Hello"})
CARD = {"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "{{1}}"}]}
CAROUSEL = made({"type": "BODY", "text": "New:"}, {"type": "CAROUSEL", "cards": [CARD, CARD]})
CODE = made({"type": "BODY"}, buttons({"type": "OTP"}), category="AUTHENTICATION")
FITTING_CARD = [header(IMAGE), body(text())]

Made = tuple[list[dict[str, Any]], str]


def check(template: Made, *components: dict[str, Any]) -> None:
    """Check a send as it is accepted: its form first."""
    data = validate("template", {"name": "offer", "language": "en", "components": list(components)})
    check_fit(needs_of(*template), data)


@pytest.mark.parametrize(
    ("template", "components"),
    [
        (PLAIN, []),
        (PLAIN, [body()]),
        (TWO, [body(text(), text())]),
        (TWO, [body(PRICE, text())]),
        (NAMED, [body(text(name="order"), text(name="name"))]),
        (TITLED, [header(text())]),
        (PICTURE, [header(IMAGE)]),
        (BUTTONS, [button("url", 1, text())]),
        (BUTTONS, [button("url", 1, text()), button("quick_reply", 0, PAYLOAD)]),
        (COPY, [button("copy_code", 0, COUPON)]),
        (LIMITED, [OFFER]),
        (made({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"has_expiration": False}}), []),
        (CAROUSEL, [carousel(FITTING_CARD, FITTING_CARD)]),
        (CODE, [body(text("1234")), button("url", 0, text("1234"))]),
        (made({"type": "HEADER", "format": "HOLOGRAM"}), []),
        (made(buttons({"type": "TELEPATHY"})), [button("url", 0, text())]),
    ],
)  # fmt: skip
def test_a_send_that_fits_is_accepted(template: Made, components: list[dict[str, Any]]) -> None:
    check(template, *components)


@pytest.mark.parametrize(
    ("template", "components", "place", "words"),
    [
        (TWO, [], C, "must have 2 parameters for the body, not 0"),
        (TWO, [body(text())], f"{C}[0].parameters", "must have 2 parameters for the body, not 1"),
        (PLAIN, [body(text())], f"{C}[0].parameters", "must have 0 parameters for the body, not 1"),
        (NAMED, [body(text(name="name"))], f"{C}[0].parameters", "not 1; its parameters are name, order"),
        (NAMED, [body(text(), text())], f"{C}[0].parameters[0].parameter_name", "is missing"),
        (
            NAMED, [body(text(name="name"), text(name="state"))], f"{C}[0].parameters[1].parameter_name",
            "its parameters are name, order",
        ),
        (TITLED, [], C, "must have 1 parameter for the header, not 0"),
        (TITLED, [header(IMAGE)], f"{C}[0].parameters[0].type", "must be text"),
        (TITLED, [header(text("x" * 55))], f"{C}[0].parameters", "at most 54 characters"),
        (PLAIN, [header(text())], f"{C}[0].parameters", "must have 0 parameters for the header"),
        (PICTURE, [], C, "must have one header parameter of the type image: it has none"),
        (PICTURE, [body(), header(VIDEO)], f"{C}[1].parameters", "type image: not video"),
        (TWO, [body(text("x" * 32_768), text())], f"{C}[0].parameters", "characters together"),
        (
            made(BODY, {"type": "FOOTER", "text": "Bye"}), [body(text("x" * 1024), text())], f"{C}[0].parameters",
            "at most 1013 characters",
        ),
        (BUTTONS, [], C, "must have a button with index 1 and sub_type url"),
        (BUTTONS, [button("quick_reply", 1, PAYLOAD)], f"{C}[0].sub_type", "button 1 is of type URL, takes url"),
        (
            BUTTONS, [button("url", 1, text()), button("url", 2, text())], f"{C}[1].sub_type",
            "button 2 is of type PHONE_NUMBER, takes no parameter",
        ),
        (BUTTONS, [button("url", 1, text()), button("url", 3, text())], f"{C}[1].sub_type", "takes no parameter"),
        (BUTTONS, [button("url", 1, text()), button("url", 4, text())], f"{C}[1].index", "must be below 4"),
        (PLAIN, [button("url", 0, text())], f"{C}[0].index", "must be below 0"),
        (COPY, [], C, "sub_type copy_code"),
        (LIMITED, [], C, "must have a limited_time_offer"),
        (CAROUSEL, [], f"{C}.cards", "must have 2 cards, not 0"),
        (CAROUSEL, [carousel(FITTING_CARD, FITTING_CARD, FITTING_CARD)], f"{C}[0].cards", "must have 2 cards, not 3"),
        (
            CAROUSEL, [carousel([header(VIDEO), body(text())], [header(VIDEO), body(text())])],
            f"{C}[0].cards[0].components[0].parameters", "type image: not video",
        ),
        (
            CAROUSEL, [carousel(FITTING_CARD, [header(IMAGE), body(text(), text())])],
            f"{C}[0].cards[1].components[1].parameters", "must have 1 parameter for the body, not 2",
        ),
        (CODE, [body(text("1234")), button("url", 0, text("99"))], f"{C}[1].parameters", "repeat the code"),
        (CODE, [body(text("1" * 16)), button("url", 0, text("1" * 16))], f"{C}[0].parameters", "at most 15"),
    ],
)  # fmt: skip
def test_a_send_that_does_not_fit_names_the_place(
    template: Made, components: list[dict[str, Any]], place: str, words: str
) -> None:
    with pytest.raises(InvalidContent) as refusal:
        check(template, *components)
    assert (refusal.value.field, words in refusal.value.message) == (place, True), refusal.value.message


@pytest.mark.parametrize("value", ["", " ", "a\nb", "a\tb", "a     b"])
def test_a_text_that_meta_refuses_names_the_place(value: str) -> None:
    with pytest.raises(InvalidContent) as refusal:
        check(TWO, body(text(), text(value)))
    assert refusal.value.field == f"{C}[0].parameters[1].text"


@pytest.mark.parametrize(
    ("given", "expected"), [("{{1}} {{ 2 }} {{1}}", ("1", "2")), ("{{name}}", ("name",)), ("{1}", ()), (None, ())]
)
def test_placeholders_are_found_once_each(given: object, expected: tuple[str, ...]) -> None:
    assert placeholders(given) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "format", "buttons", "cards", "components", "url"]), inner)
    ),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from(["type", "text", "format", "buttons", "cards"]), JSON), max_size=4))
def test_no_components_of_meta_raise(components: list[dict[str, Any]]) -> None:
    needs_of(components, "UTILITY")
