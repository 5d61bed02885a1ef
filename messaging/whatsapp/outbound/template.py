"""Templates: their name, their language, and the form of their components."""

from collections.abc import Mapping

from messaging.whatsapp.outbound.checks import Data, matching, object_of, one_of, text
from messaging.whatsapp.outbound.components import COMPONENTS

MAX_TEMPLATE_NAME = 512
# The form of the codes in Meta's list, such as fil, en_US and prs_AF; which a template has is Meta's to say (132001).
_CODE = matching(r"[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?", "must be a language code such as en_US")
_LANGUAGE = object_of({"code": _CODE}, {"policy": one_of("deterministic")})
_NAME = matching(r"[a-z0-9_]+", "may have lower-case letters, digits and underscores only")


def _name(value: object, path: str) -> object:
    return _NAME(text(MAX_TEMPLATE_NAME)(value, path), path)


def _language(value: object, path: str) -> object:
    """A code; an object only where it says more than the code."""
    if not isinstance(value, Mapping):
        return _CODE(value, path)
    language = _LANGUAGE(value, path)
    return language["code"] if isinstance(language, dict) and language.keys() == {"code"} else language


validate = object_of({"name": _name, "language": _language}, {"components": COMPONENTS})


def node(data: Data) -> Data:
    """The node in Meta's format."""
    language = data["language"]
    return data | {"language": language if isinstance(language, dict) else {"code": language}}


def language_of(data: Mapping[str, object]) -> str:
    """The language code of a template's content."""
    language = data.get("language", "")
    return str(language.get("code", "")) if isinstance(language, Mapping) else str(language)
