"""The templates of the sandbox's business account: what each was created with, and whether it may be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from .. import graph_errors
from ..settings import InputError

JSON = dict[str, Any]
NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?")
# https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
DEFAULT_LIMIT = 250
DELETION_S = 30 * 24 * 3600.0
_KEYS = {"name", "language", "category", "status", "components"}
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_COMPONENTS = ("BODY", "BUTTONS", "CAROUSEL", "FOOTER", "HEADER", "LIMITED_TIME_OFFER")
_HEADER_FORMATS = ("DOCUMENT", "IMAGE", "LOCATION", "PRODUCT", "TEXT", "VIDEO")
_FIRST_ID = 1_667_192_013_751_000


class Category(StrEnum):
    """The category of a template; the price depends on it."""

    MARKETING = "MARKETING"
    UTILITY = "UTILITY"
    AUTHENTICATION = "AUTHENTICATION"


class Status(StrEnum):
    """Whether Meta lets a template go out."""

    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"


# To a send, a template in any other state does not exist.
_REFUSALS = {Status.PAUSED: 132015, Status.DISABLED: 132016}
NOT_FOUND = 132001


@dataclass(frozen=True, slots=True)
class Template:
    """``components`` have the shape with which Meta creates templates: ``{"type": "BODY", "text": "Hi {{1}}"}``."""

    id: str
    name: str
    language: str
    category: Category
    status: Status = Status.APPROVED
    components: tuple[JSON, ...] = ()

    def component(self, kind: str) -> JSON:
        """The component of this type; an empty one where the template has none."""
        return next((each for each in self.components if each["type"] == kind), {})

    def as_json(self) -> JSON:
        """The shape of Meta's own list of templates."""
        return {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "category": str(self.category),
            "status": str(self.status),
            "components": list(self.components),
        }


def placeholders(text: object) -> list[str]:
    """The names or numbers between double braces, each once, in the order of the text."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text))) if isinstance(text, str) else []


@dataclass(slots=True)
class Templates:
    """Templates by name and language. ``clear`` restores the initial ones."""

    initial: tuple[Template, ...]
    _templates: dict[tuple[str, str], Template] = field(default_factory=dict)
    # When templates were deleted, in Unix seconds, by name and language.
    _deleted: dict[tuple[str, str], float] = field(default_factory=dict)
    _created: int = 0

    def __post_init__(self) -> None:
        self.clear()

    def __iter__(self) -> Iterator[Template]:
        return iter(self._templates.values())

    def __len__(self) -> int:
        return len(self._templates)

    def find(self, node: JSON) -> Template | None:
        """The template that the node of a send names; None where there is no such template."""
        return self._templates.get((node["name"], node["language"]["code"]))

    def approved(self, node: JSON) -> Template:
        """The template that the node of a send names. Raises GraphError 132001, 132015 or 132016."""
        name, language = node["name"], node["language"]["code"]
        template = self.find(node)
        if template is None or template.status not in {Status.APPROVED, *_REFUSALS}:
            details = f"template name ({name}) does not exist in {language}"
            raise graph_errors.of_code(NOT_FOUND, details=details)
        if code := _REFUSALS.get(template.status):
            raise graph_errors.of_code(code, details=f"template ({name}) in {language} is {template.status.lower()}")
        return template

    def put(self, given: JSON, limit: int = DEFAULT_LIMIT) -> tuple[Template, bool]:
        """Add a template, or change what is given of one that exists; and whether its status changed.

        Raises InputError.
        """
        key = _key(given)
        known = self._templates.get(key)
        if known is None and len(self._templates) >= limit:
            raise InputError("name", f"the account has {limit} templates already, as many as Meta allows")
        template = known or Template(str(_FIRST_ID + self._created), *key, Category.UTILITY)
        self._created += known is None
        changes: JSON = {}
        if "category" in given:
            changes["category"] = _choice(Category, given, "category")
        if "status" in given:
            changes["status"] = _choice(Status, given, "status")
        if "components" in given:
            changes["components"] = tuple(_components(given["components"]))
        self._templates[key] = changed = replace(template, **changes)
        return changed, changed.status != (known.status if known else None)

    def with_id(self, template_id: str) -> Template | None:
        """The template with this id."""
        return next((template for template in self if template.id == template_id), None)

    def remove(self, name: str, template_id: str | None, now: float) -> list[Template]:
        """Delete the templates with this name, or the one of them with this id; returns the deleted ones."""
        removed = [each for each in self if each.name == name and template_id in (None, each.id)]
        for template in removed:
            del self._templates[template.name, template.language]
            self._deleted[template.name, template.language] = now
        return removed

    def is_being_deleted(self, name: object, language: object, now: float) -> bool:
        """Whether Meta still deletes a template, and takes none of the same name and language."""
        return any((name, language) == key and now < at + DELETION_S for key, at in self._deleted.items())

    def clear(self) -> None:
        """Restore the initial templates."""
        self._deleted.clear()
        self._templates = {(template.name, template.language): template for template in self.initial}


def _key(given: JSON) -> tuple[str, str]:
    if unknown := given.keys() - _KEYS:
        raise InputError(min(unknown), f"no such key; there are {', '.join(sorted(_KEYS))}")
    name, language = given.get("name"), given.get("language", "en_US")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError("name", "must have lower-case letters, digits and underscores only")
    if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
        raise InputError("language", "must be a language code such as en_US")
    return name, language


def _choice(choices: type[StrEnum], given: JSON, name: str) -> StrEnum:
    value = given[name]
    if value not in list(choices):
        raise InputError(name, f"must be one of {', '.join(choices)}")
    return choices(value)


def _components(given: object) -> Iterable[JSON]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise InputError("components", 'must be a list of objects, such as [{"type": "BODY", "text": "Hi {{1}}"}]')
    kinds = [each.get("type") for each in given]
    for index, (kind, component) in enumerate(zip(kinds, given, strict=True)):
        place = f"components[{index}]"
        if kind not in _COMPONENTS or kinds.index(kind) != index:
            raise InputError(f"{place}.type", f"must be one of {', '.join(_COMPONENTS)}, each once")
        if kind == "HEADER" and component.get("format") not in _HEADER_FORMATS:
            raise InputError(f"{place}.format", f"must be one of {', '.join(_HEADER_FORMATS)}")
        if not isinstance(component.get("text", ""), str):
            raise InputError(f"{place}.text", "must be a string")
        listed = {"BUTTONS": "buttons", "CAROUSEL": "cards"}.get(kind)
        if listed:
            parts = component.get(listed)
            if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
                raise InputError(f"{place}.{listed}", "must be a list of objects")
            for card in parts if kind == "CAROUSEL" else ():
                list(_components(card.get("components")))
    return given
