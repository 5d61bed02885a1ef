"""The form of a template reply: a field for each parameter, the components of its send, and a preview."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from messaging.models import BusinessNumber, Template
from messaging.whatsapp.template_fit import PLACEHOLDER, needs_of
from messaging.whatsapp.template_form import Parameter, Place, components_with, parameters_of

# The templates that the form lists at once; a search finds the others.
MAX_TEMPLATES = 200
MAX_SEARCH = 512
_FILES = frozenset({"image", "video", "document"})
# The label of a button's field, by the `sub_type` of the button.
_BUTTONS: Mapping[str, str] = {"url": "Ending of the link of button", "copy_code": "Code of button"}
_API_ONLY = "This template has {}, which this form does not have: send it by the API."


@dataclass(frozen=True, slots=True)
class Field:
    """An input of the form. `name`: the key of its parameter; `example`: the value that Meta's reviewers saw."""

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
        self._parameters = tuple(
            each for each in parameters_of(template.components, template.category) if each.required
        )
        self.fields = tuple(self._fields())

    @property
    def problem(self) -> str:
        """Why this form cannot send the template; empty if it can."""
        named = {
            "a carousel": bool(self._needs.cards),
            "an offer with an end": self._needs.has_offer,
            f"a {self._header} as its header": self._header not in {*_FILES, "text"},
            "a button with parameters of its own": any(
                button.is_needed and button.sub_type not in _BUTTONS for button in self._needs.buttons
            ),
        }
        found = [label for label, has in named.items() if has]
        return _API_ONLY.format(found[0]) if found else ""

    def data(self) -> dict[str, object]:
        """The `message_data` of the send."""
        components = components_with(self._parameters, {field.name: field.value for field in self.fields})
        data: dict[str, object] = {"name": self.template.name, "language": self.template.language}
        return {**data, "components": components} if components else data

    def label_of(self, place: str) -> str:
        """The label of the field whose value is at this place of the data; empty if no field's is."""
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
            media=self._header if self._header in _FILES else "",
            header=self._filled("header", self._parts.get("HEADER", {}).get("text")),
            body=self._filled("body", body),
            footer=str(self._parts.get("FOOTER", {}).get("text", "")),
            buttons=tuple(str(button.get("text") or "Copy code") for button in self._buttons()),
        )

    @property
    def _header(self) -> str:
        return self._needs.header.lower()

    def _fields(self) -> Iterator[Field]:
        for each in self._parameters:
            label = self._label(each)
            if label and not each.same_as:
                example = "" if each.kind in _FILES else each.example
                yield Field(each.key, label, example, self._typed.get(each.key, "").strip())

    def _label(self, parameter: Parameter) -> str:
        """The label of its field; empty if the form has none for it."""
        if parameter.card is not None:
            return ""
        if parameter.kind in _FILES:
            return f"Address (https) of the {parameter.kind}"
        if parameter.place in {Place.HEADER, Place.BODY} and parameter.kind == "text":
            return f"{parameter.place.capitalize()}: {parameter.key.partition('.')[2]}"
        if parameter.button is not None and parameter.sub_type in _BUTTONS:
            return f"{_BUTTONS[parameter.sub_type]} “{self._buttons()[parameter.button].get('text') or 'Copy code'}”"
        return ""

    def _labels_by_place(self) -> dict[str, str]:
        labels = {field.name: field.label for field in self.fields}
        found: dict[str, str] = {}
        # Each value is the key of its field.
        for position, component in enumerate(components_with(self._parameters, {key: key for key in labels})):
            for at, parameter in enumerate(component["parameters"]):
                content = parameter[parameter["type"]]
                key = content["link"] if isinstance(content, Mapping) else content
                found[f"message_data.components[{position}].parameters[{at}]"] = labels[key]
        return found

    def _filled(self, part: str, text: object) -> str:
        shown = {field.name: field.value or field.example for field in self.fields}
        return PLACEHOLDER.sub(lambda found: shown.get(f"{part}.{found[1]}") or found[0], str(text or ""))

    def _buttons(self) -> Sequence[Mapping[str, Any]]:
        buttons = self._parts.get("BUTTONS", {}).get("buttons")
        return [button for button in buttons if isinstance(button, Mapping)] if isinstance(buttons, list) else []


@dataclass(frozen=True, slots=True)
class TemplateList:
    """The templates that the form lists. `is_cut`: there are more, which a search finds."""

    listed: tuple[Template, ...]
    is_cut: bool


def templates_of(number: BusinessNumber, search: str = "", chosen: Template | None = None) -> TemplateList:
    """The approved templates of the number's account, by name and language, `chosen` among them.

    `search`: a part of the name. Components, up to 20 kB a template, are not read.
    """
    term = search.replace("\0", "").strip()[:MAX_SEARCH]
    found = _approved(number).filter(name__icontains=term) if term else _approved(number)
    rows = list(found.order_by("name", "language").only("name", "language")[: MAX_TEMPLATES + 1])
    listed = rows[:MAX_TEMPLATES]
    if chosen is not None and chosen not in listed:
        listed.insert(0, chosen)
    return TemplateList(tuple(listed), len(rows) > MAX_TEMPLATES)


def template_form(number: BusinessNumber, typed: Mapping[str, str]) -> TemplateForm | None:
    """The form of the chosen template (`template`: its primary key); None if there is no such template."""
    key = typed.get("template", "")
    if not (key.isascii() and key.isdigit() and len(key) < 18):  # noqa: PLR2004 - a bigint
        return None
    template = _approved(number).filter(pk=int(key)).first()
    return None if template is None else TemplateForm(template, typed)


def _approved(number: BusinessNumber) -> QuerySet[Template]:
    return Template.objects.filter(account__waba_id=number.waba_id, removed_at=None, status="APPROVED")
