"""Templates: their components are Meta's to check, since only it knows what the template was created with."""

from collections.abc import Mapping

from messaging.whatsapp.outbound.checks import (
    Data,
    json_object,
    list_of,
    matching,
    obj,
    one_of,
    text,
)

MAX_TEMPLATE_NAME = 512
# More than any template has parts; carousels have cards, not components.
_MAX_COMPONENTS = 100
# Longer than any language code of Meta's list; wrong ones are Meta's to refuse (132001).
_CODE = matching(r"[A-Za-z0-9_-]{2,32}", "must be a language code such as en_US")
_LANGUAGE = obj({"code": _CODE}, {"policy": one_of("deterministic")})
_NAME = matching(r"[a-z0-9_]+", "may have lower-case letters, digits and underscores only")


def _name(value: object, path: str) -> object:
    return _NAME(text(MAX_TEMPLATE_NAME)(value, path), path)


def _language(value: object, path: str) -> object:
    """A code; an object only where it says more than the code."""
    if not isinstance(value, Mapping):
        return _CODE(value, path)
    language = _LANGUAGE(value, path)
    return language["code"] if isinstance(language, dict) and language.keys() == {"code"} else language


validate = obj({"name": _name, "language": _language}, {"components": list_of(json_object, _MAX_COMPONENTS, 0)})


def node(data: Data) -> Data:
    """Meta's."""
    language = data["language"]
    return data | {"language": language if isinstance(language, dict) else {"code": language}}
