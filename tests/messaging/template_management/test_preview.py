"""A template as a phone shows it."""

from typing import Any

import pytest

from messaging.sandbox.templates.catalogue import CATALOGUE
from messaging.template_management.preview import Preview, PreviewButton, preview_of

EMPTY = Preview("", "", "", "", "", ())


def body(text: str, **example: Any) -> dict[str, Any]:
    return {"type": "BODY", "text": text, "example": example}


def test_the_example_values_stand_in_the_texts() -> None:
    header = {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["47"]}}
    found = preview_of([header, body("Hi {{1}}, {{2}}", body_text=[["Ann", "welcome"]])])
    assert (found.header, found.body) == ("Order 47", "Hi Ann, welcome")


def test_a_parameter_without_an_example_stays() -> None:
    assert preview_of([body("Hi {{name}}")]).body == "Hi {{name}}"


@pytest.mark.parametrize(
    ("button", "expected"),
    [
        (
            {"type": "URL", "text": "Go", "url": "https://x.example/{{1}}", "example": ["https://x.example/a"]},
            PreviewButton("Go", "https://x.example/a"),
        ),
        ({"type": "URL", "text": "Go", "url": "https://x.example/{{1}}"}, PreviewButton("Go", "https://x.example/{{1}}")),
        ({"type": "URL", "text": "Go", "url": "https://x.example/"}, PreviewButton("Go", "https://x.example/")),
        ({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+1555"}, PreviewButton("Call", "+1555")),
        ({"type": "COPY_CODE", "example": "ONE"}, PreviewButton("Copy offer code", "ONE")),
        ({"type": "QUICK_REPLY", "text": "Stop"}, PreviewButton("Stop")),
        ({"type": "NEW"}, PreviewButton("NEW")),
    ],
)  # fmt: skip
def test_a_button_shows_its_label_and_where_it_leads(button: dict[str, Any], expected: PreviewButton) -> None:
    assert preview_of([{"type": "BUTTONS", "buttons": [button]}]).buttons == (expected,)


def test_a_header_with_a_file_shows_its_kind() -> None:
    assert preview_of([{"type": "HEADER", "format": "VIDEO"}]).file == "video"


def test_a_code_has_the_texts_that_meta_writes() -> None:
    components = [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 5},
    ]
    found = preview_of(components, "AUTHENTICATION")
    assert found.body == "{{1}} is your verification code. For your security, do not share this code."
    assert found.footer == "This code expires in 5 minutes."


def test_each_card_has_its_own_examples() -> None:
    cards = [{"components": [body("{{1}}", body_text=[[name]])]} for name in ("a", "b")]
    assert [card.body for card in preview_of([{"type": "CAROUSEL", "cards": cards}]).cards] == ["a", "b"]


@pytest.mark.parametrize("components", [[], [{}], [{"type": 1}], [{"type": "BUTTONS", "buttons": "odd"}]])
def test_odd_components_make_an_empty_preview(components: list[dict[str, Any]]) -> None:
    assert preview_of(components) == EMPTY


@pytest.mark.parametrize("template", CATALOGUE, ids=lambda each: f"{each.name} {each.language}")
def test_every_template_of_the_sandbox_has_a_preview(template: Any) -> None:
    assert preview_of(template.components, str(template.category)).body
