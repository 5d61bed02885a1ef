"""Plain text."""

from messaging.whatsapp.outbound.checks import Data, InvalidContent, MissingContent, boolean, object_of, visible_text

MAX_TEXT = 4096
_CHECK = object_of({}, {"content": visible_text(MAX_TEXT), "body": visible_text(MAX_TEXT), "preview_url": boolean})


def validate(data: object, path: str) -> Data:
    """``{"content": str, "preview_url"?: bool}``; Meta's `body` may stand for content."""
    if isinstance(data, dict):
        # What is null is not there; with both names, it would not be said which one counts.
        data = {key: value for key, value in data.items() if value is not None or key not in ("content", "body")}
        if "content" in data and "body" in data:
            raise InvalidContent(f"{path}.body", "is another name of content: give one of them")
    checked = _CHECK(data, path)
    result: Data = dict(checked) if isinstance(checked, dict) else {}
    if "body" in result:
        result = {"content": result.pop("body"), **result}
    if "content" not in result:
        raise MissingContent(f"{path}.content")
    return result


def node(data: Data) -> Data:
    """The node in Meta's format."""
    return {"body": data["content"]} | {key: data[key] for key in ("preview_url",) if key in data}
