"""From the API's `message_type` and `message_data` to the body of a Cloud API send.

Each type has one row in `_TYPES`: what checks and normalises its data, and what makes Meta's node of it.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from messaging.whatsapp.recipients import is_bsuid, is_phone
from messaging.whatsapp.storable import MAX_DEPTH, storable_text

# Limits are Meta's, in characters.
MAX_TEXT = 4096
MAX_TEMPLATE_NAME = 512
MAX_CALLBACK_DATA = 512
# Longer than any language code of Meta's list; wrong ones are Meta's to refuse (132001).
_LANGUAGE = re.compile(r"[A-Za-z0-9_-]{2,32}")
_TEMPLATE_NAME = re.compile(r"[a-z0-9_]+")
_SHOWN = 64

Data = dict[str, object]


class InvalidContent(Exception):
    """What was asked for cannot be sent. `field` is a path such as ``message_data.components[0]``."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Type:
    validate: Callable[[Data], Data]
    node: Callable[[Data], Data]


def validate(message_type: object, data: object) -> Data:
    """The normalised data of a message: Meta's own names turned into ours, nothing unknown left.

    text: ``{"content": str, "preview_url"?: bool}``, content 1 to 4096 characters; Meta's `body` may stand for content.
    template: ``{"name": str, "language": str, "components"?: [object, …]}``; language may be ``{"code": str}``.

    Raises InvalidContent, for wrong types of any kind too.
    """
    if not isinstance(message_type, str) or message_type not in _TYPES:
        raise InvalidContent("message_type", f"must be one of: {', '.join(sorted(_TYPES))}")
    if not isinstance(data, Mapping):
        raise InvalidContent("message_data", "must be an object")
    return _TYPES[message_type].validate(dict(data))


def build(
    message_type: str, data: Mapping[str, object], *, to: str, callback_data: str, context_wamid: str | None = None
) -> Data:
    """The body of ``POST /{phone_number_id}/messages``.

    `to` is a phone number in E.164 digits without the plus, or a BSUID; `callback_data` (1 to 512 characters) comes
    back in every status of the message; `context_wamid` is the message that is replied to. Raises InvalidContent.
    """
    body: Data = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    body[_recipient_key(to)] = to
    body["type"] = message_type
    normalised = validate(message_type, data)
    body[message_type] = _TYPES[message_type].node(normalised)
    if not 1 <= len(callback_data) <= MAX_CALLBACK_DATA:
        raise InvalidContent("callback_data", f"must have 1 to {MAX_CALLBACK_DATA} characters")
    body["biz_opaque_callback_data"] = callback_data
    if context_wamid is not None:
        body["context"] = {"message_id": context_wamid}
    return body


def _recipient_key(to: str) -> str:
    if is_phone(to):
        return "to"
    if is_bsuid(to):
        return "recipient"
    raise InvalidContent("to", "must be a phone number in digits or a business-scoped user id")


def _validate_text(data: Data) -> Data:
    _only(data, {"content", "body", "preview_url"})
    if "content" in data and "body" in data:
        raise InvalidContent("message_data.body", "is another name of content: give one of them")
    name = "body" if "body" in data else "content"
    content = _string(data, name, MAX_TEXT)
    result: Data = {"content": content}
    if "preview_url" in data:
        preview = data["preview_url"]
        if not isinstance(preview, bool):
            raise InvalidContent("message_data.preview_url", "must be true or false")
        result["preview_url"] = preview
    return result


def _text_node(data: Data) -> Data:
    return {"body": data["content"]} | {key: data[key] for key in ("preview_url",) if key in data}


def _validate_template(data: Data) -> Data:
    _only(data, {"name", "language", "components"})
    name = _string(data, "name", MAX_TEMPLATE_NAME)
    if not _TEMPLATE_NAME.fullmatch(name):
        raise InvalidContent("message_data.name", "may have lower-case letters, digits and underscores only")
    result: Data = {"name": name, "language": _language(data)}
    if "components" in data:
        result["components"] = _components(data["components"])
    return result


def _template_node(data: Data) -> Data:
    return data | {"language": {"code": data["language"]}}


def _language(data: Data) -> str:
    language, path = data.get("language"), "message_data.language"
    if isinstance(language, Mapping):
        language, path = language.get("code"), "message_data.language.code"
    if "language" not in data or language is None:
        raise InvalidContent(path, "is required")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise InvalidContent(path, "must be a language code such as en_US")
    return language


def _components(components: object) -> list[object]:
    if not isinstance(components, list):
        raise InvalidContent("message_data.components", "must be a list")
    for index, component in enumerate(components):
        path = f"message_data.components[{index}]"
        if not isinstance(component, dict):
            raise InvalidContent(path, "must be an object")
        _check_json(component, path, MAX_DEPTH)
    return components


def _check_json(value: object, path: str, depth: int) -> None:
    """Refuses what could not be stored or sent as JSON, at the path where it stands."""
    if depth == 0:
        raise InvalidContent(path, "is nested too deeply")
    if isinstance(value, str):
        _check_characters(value, path)
    elif isinstance(value, dict):
        for key, element in value.items():
            _check_json(element, _path(path, key), depth - 1)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            _check_json(element, f"{path}[{index}]", depth - 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidContent(path, "must be a finite number")
    elif value is not None and not isinstance(value, int | float):
        raise InvalidContent(path, "must be a JSON value")


def _string(data: Data, name: str, longest: int) -> str:
    path = f"message_data.{name}"
    value = data.get(name)
    if name not in data or value is None:
        raise InvalidContent(path, "is required")
    if not isinstance(value, str):
        raise InvalidContent(path, "must be a string")
    if not 1 <= len(value) <= longest:
        raise InvalidContent(path, f"must have 1 to {longest} characters, has {len(value)}")
    _check_characters(value, path)
    return value


def _check_characters(text: str, path: str) -> None:
    if storable_text(text) != text:
        raise InvalidContent(path, "holds a NUL or half of a surrogate pair")


def _only(data: Data, known: set[str]) -> None:
    for key in data:
        if key not in known:
            raise InvalidContent(_path("message_data", key), f"is not known; known are: {', '.join(sorted(known))}")


def _path(parent: str, key: object) -> str:
    """The path of a key; it must be text that can be stored, since it ends up in answers and logs."""
    if not isinstance(key, str) or storable_text(key) != key:
        raise InvalidContent(parent, "has a key that is not proper text")
    return f"{parent}.{key[:_SHOWN]}"


_TYPES: dict[str, _Type] = {
    "text": _Type(_validate_text, _text_node),
    "template": _Type(_validate_template, _template_node),
}
MESSAGE_TYPES: tuple[str, ...] = tuple(sorted(_TYPES))
