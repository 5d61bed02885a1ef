"""A template as a phone shows it, with its example values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.whatsapp.template_form import Parameter, Place, example_text, parameters_of

# Meta writes these texts of authentication templates itself, in the template's language.
CODE_BODY = "{{1}} is your verification code."
CODE_WARNING = " For your security, do not share this code."
# Labels of buttons that have no text of their own.
_BUTTON_LABELS: Mapping[str, str] = {
    "COPY_CODE": "Copy offer code",
    "CATALOG": "View catalog",
    "MPM": "View items",
    "OTP": "Copy code",
    "VOICE_CALL": "Call on WhatsApp",
    "ORDER_DETAILS": "Review and pay",
}


@dataclass(frozen=True, slots=True)
class PreviewButton:
    """A button: its label, and where it leads: an address, a number or a code; empty for others."""

    label: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The texts of a template. `file` is the kind of file in its header, empty for none."""

    header: str
    file: str
    body: str
    offer: str
    footer: str
    buttons: tuple[PreviewButton, ...]
    cards: tuple["Preview", ...] = ()


def preview_of(components: Sequence[Mapping[str, Any]], category: str = "") -> Preview:
    """The preview of a template with these components, in Meta's form; a parameter without an example stays `{{1}}`."""
    return _preview(components, parameters_of(components, category), None, category)


def _preview(
    components: Sequence[Mapping[str, Any]], parameters: Sequence[Parameter], card: int | None, category: str = ""
) -> Preview:
    parts = {str(part.get("type", "")).upper(): part for part in components}
    header, body = parts.get("HEADER", {}), parts.get("BODY", {})
    kind = str(header.get("format", "TEXT")).lower() if header else "text"
    text = _text(body, "text") or _code_text(body, category)
    cards = parts.get("CAROUSEL", {}).get("cards")
    return Preview(
        header=example_text(_text(header, "text"), _examples(parameters, Place.HEADER, card)),
        file="" if kind == "text" else kind,
        body=example_text(text, _examples(parameters, Place.BODY, card)),
        offer=_text(_mapping(parts.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer")), "text"),
        footer=_footer(parts.get("FOOTER", {})),
        buttons=_buttons(parts.get("BUTTONS", {}), _examples(parameters, Place.BUTTON, card)),
        cards=tuple(
            _preview(_mappings(each.get("components")), parameters, index)
            for index, each in enumerate(_mappings(cards))
        ),
    )


def _examples(parameters: Sequence[Parameter], place: Place, card: int | None) -> dict[str, str]:
    """Example values of a place, by the last part of the parameter's key: name, number, or index of the button."""
    found = (each for each in parameters if each.place is place and each.card == card and each.example)
    return {each.key.rpartition(".")[2]: each.example for each in found}


def _code_text(body: Mapping[str, Any], category: str) -> str:
    if category.upper() != "AUTHENTICATION":
        return ""
    return CODE_BODY + (CODE_WARNING if body.get("add_security_recommendation") is True else "")


def _footer(footer: Mapping[str, Any]) -> str:
    minutes = footer.get("code_expiration_minutes")
    return _text(footer, "text") or (f"This code expires in {minutes} minutes." if isinstance(minutes, int) else "")


def _buttons(part: Mapping[str, Any], examples: Mapping[str, str]) -> tuple[PreviewButton, ...]:
    found = []
    for index, button in enumerate(_mappings(part.get("buttons"))):
        kind = str(button.get("type", "")).upper()
        example = examples.get(str(index), "")
        address = _text(button, "url").partition("{{")
        target = address[0] + (example or "".join(address[1:]))
        label = _text(button, "text") or _BUTTON_LABELS.get(kind, kind)
        found.append(PreviewButton(label, target or _text(button, "phone_number")))
    return tuple(found)


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
