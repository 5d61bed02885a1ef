"""The form of a template reply: a field for each parameter, the components of its send, and a preview."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.models import BusinessNumber, Template
from messaging.whatsapp.template_fit import PLACEHOLDER, needs_of
from messaging.whatsapp.template_form import Place, button_example, in_order, text_examples

MAX_TEMPLATES = 200
_MEDIA = frozenset({"IMAGE", "VIDEO", "DOCUMENT"})
# Buttons with a field: its label, and the type of the parameter.
_BUTTONS: Mapping[str, tuple[str, str]] = {
    "url": ("Ending of the link of button", "text"),
    "copy_code": ("Code of button", "coupon_code"),
}
_API_ONLY = "This template has {}, which this form does not have: send it by the API."


@dataclass(frozen=True, slots=True)
class Field:
    """An input of the form. `example`: the value that Meta's reviewers saw."""

    name: str
    label: str
    example: str
    value: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The message as the recipient sees it; empty values stand as their examples, or as {{name}}."""

    media: str
    header: str
    body: str
    footer: str
    buttons: tuple[str, ...]


class TemplateForm:
    """A template and what was typed for its parameters."""

    def __init__(self, template: Template, typed: Mapping[str, str]) -> None:
        self.template = template
        self._typed = typed
        self._parts = {str(part.get("type", "")).upper(): part for part in template.components}
        self._needs = needs_of(template.components, template.category)
        self.fields = tuple(self._fields())

    @property
    def problem(self) -> str:
        """Why this form cannot send the template; empty if it can."""
        named = {
            "a carousel": bool(self._needs.cards),
            "an offer with an end": self._needs.has_offer,
            f"a {self._needs.header.lower()} as its header": self._needs.header not in {*_MEDIA, "TEXT"},
            "a button with parameters of its own": any(
                button.is_needed and button.sub_type not in _BUTTONS for button in self._needs.buttons
            ),
        }
        found = [label for label, has in named.items() if has]
        return _API_ONLY.format(found[0]) if found else ""

    def data(self) -> dict[str, object]:
        """The `message_data` of the send."""
        components = list(self._components())
        data: dict[str, object] = {"name": self.template.name, "language": self.template.language}
        return {**data, "components": components} if components else data

    def label_of(self, place: str) -> str:
        """The label of the field whose value stands at this place of the data; empty if it is of no field."""
        labels = self._labels_by_place()
        return next((label for start, label in labels.items() if place == start or place.startswith(f"{start}.")), "")

    def missing(self) -> str:
        """The label of the first empty field."""
        return next((field.label for field in self.fields if not field.value), "")

    def preview(self) -> Preview:
        """What the recipient sees."""
        body = str(self._parts.get("BODY", {}).get("text", "")) or (
            "{{1}} is your code." if self._needs.is_code else ""
        )
        return Preview(
            media=self._needs.header.lower() if self._needs.header in _MEDIA else "",
            header=self._filled("header", self._parts.get("HEADER", {}).get("text")),
            body=self._filled("body", body),
            footer=str(self._parts.get("FOOTER", {}).get("text", "")),
            buttons=tuple(str(button.get("text") or "Copy code") for button in self._buttons()),
        )

    def _fields(self) -> Iterator[Field]:
        if self._needs.header in _MEDIA:
            yield self._field("header", f"Address (https) of the {self._needs.header.lower()}", "")
        for place, names in self._texts():
            examples = text_examples(place, self._parts.get(place.upper(), {}), names)
            for name in names:
                yield self._field(f"{place}.{name}", f"{place.capitalize()}: {name}", examples.get(name, ""))
        for index, sub_type in () if self._needs.is_code else self._filled_buttons():
            button = self._buttons()[index]
            label = f"{_BUTTONS[sub_type][0]} “{button.get('text') or 'Copy code'}”"
            yield self._field(f"button.{index}", label, button_example(button))

    def _texts(self) -> Iterator[tuple[Place, Sequence[str]]]:
        """The parameters of header and body in the order of a send: numbered ones by number."""
        yield Place.HEADER, in_order(self._needs.header_texts)
        yield Place.BODY, in_order(self._needs.body)

    def _filled_buttons(self) -> Iterator[tuple[int, str]]:
        """The index and the `sub_type` of each button that takes a value."""
        for index, button in enumerate(self._needs.buttons):
            if button.is_needed and button.sub_type in _BUTTONS:
                yield index, str(button.sub_type)

    def _field(self, name: str, label: str, example: str) -> Field:
        return Field(name, label, example, self._typed.get(name, "").strip())

    def _components(self) -> Iterator[dict[str, object]]:
        if self._needs.header in _MEDIA:
            kind = self._needs.header.lower()
            yield {"type": "header", "parameters": [{"type": kind, kind: {"link": self._value("header")}}]}
        for place, names in self._texts():
            if names:
                yield {"type": str(place), "parameters": [self._text(place, name) for name in names]}
        for index, sub_type in self._filled_buttons():
            kind = _BUTTONS[sub_type][1]
            # The button of an authentication template copies the code of the body.
            value = self._value("body.1" if self._needs.is_code else f"button.{index}")
            parameters = [{"type": kind, kind: value}]
            yield {"type": "button", "sub_type": sub_type, "index": index, "parameters": parameters}

    def _labels_by_place(self) -> dict[str, str]:
        labels: dict[str, str] = {}
        fields = {field.name: field.label for field in self.fields}
        for position, component in enumerate(self._components()):
            place = f"message_data.components[{position}].parameters"
            match component["type"]:
                case "button":
                    labels[f"{place}[0]"] = fields.get(f"button.{component['index']}", "")
                case "header" if "header" in fields:
                    labels[f"{place}[0]"] = fields["header"]
                case part:
                    names = dict(self._texts())[Place(str(part))]
                    labels |= {f"{place}[{at}]": fields[f"{part}.{name}"] for at, name in enumerate(names)}
        return labels

    def _text(self, part: str, name: str) -> dict[str, str]:
        parameter = {"type": "text", "text": self._value(f"{part}.{name}")}
        return parameter if name.isdigit() else {**parameter, "parameter_name": name}

    def _value(self, name: str) -> str:
        return self._typed.get(name, "").strip()

    def _filled(self, part: str, text: object) -> str:
        shown = {field.name: field.value or field.example for field in self.fields}
        return PLACEHOLDER.sub(lambda found: shown.get(f"{part}.{found[1]}") or found[0], str(text or ""))

    def _buttons(self) -> Sequence[Mapping[str, Any]]:
        buttons = self._parts.get("BUTTONS", {}).get("buttons")
        return [button for button in buttons if isinstance(button, Mapping)] if isinstance(buttons, list) else []


def templates_of(number: BusinessNumber) -> list[Template]:
    """The approved templates of the number's account, by name and language."""
    found = Template.objects.filter(account__waba_id=number.waba_id, removed_at=None, status="APPROVED")
    return list(found.order_by("name", "language")[:MAX_TEMPLATES])


def template_form(number: BusinessNumber, typed: Mapping[str, str]) -> TemplateForm | None:
    """The form of the chosen template (`template`: its primary key); None if there is no such one."""
    key = typed.get("template", "")
    if not (key.isascii() and key.isdigit() and len(key) < 18):  # noqa: PLR2004 - a bigint
        return None
    found = Template.objects.filter(pk=int(key), account__waba_id=number.waba_id, removed_at=None, status="APPROVED")
    template = found.first()
    return None if template is None else TemplateForm(template, typed)
