"""Additions to the OpenAPI description of every operation of the API: error responses, texts without NUL."""

from typing import Any

REFUSAL = {
    "type": "object",
    "description": "`detail`, or errors by field.",
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": True,
}
ALWAYS = {
    "400": "Errors by field or parameter; nothing was changed.",
    "401": "No valid API key: see `detail`.",
    "403": "The caller may not do this.",
    "503": "The database, SQS or Meta does not answer: see Retry-After.",
}
WITH_BODY = {"413": "The body is too large.", "415": "The body has another type than the operation takes."}
WITH_PATH = {"404": "No object has this id, name or cursor."}
# The characters that `str.strip` removes. `\s` is another set in Python, in ECMAScript and in Rust.
BLANK = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# PostgreSQL stores no NUL, so no parameter may hold one; an empty or blank one is refused.
TEXT = rf"^[^\u0000]*[^{BLANK}\u0000][^\u0000]*$"
METHODS = {"get", "post", "put", "patch", "delete"}


def add_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook; responses that a view describes itself stay."""
    for path, item in result["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                _add(operation, has_path="{" in path)
    for name, schema in result["components"]["schemas"].items():
        # COMPONENT_SPLIT_REQUEST gives request schemas this suffix; requests refuse unknown fields.
        if name.endswith("Request") and "properties" in schema:
            schema["additionalProperties"] = False
    return result


def _add(operation: dict[str, Any], *, has_path: bool) -> None:
    has_path = has_path or any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
    more = {**ALWAYS, **(WITH_BODY if "requestBody" in operation else {}), **(WITH_PATH if has_path else {})}
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        if schema.get("type") == "string" and not {"enum", "format", "pattern"} & schema.keys():
            schema.update(pattern=TEXT, minLength=max(1, schema.get("minLength", 0)))
    responses = operation["responses"]
    for status, description in more.items():
        responses.setdefault(status, {"description": description})
    for status, response in responses.items():
        if status >= "400":
            response.setdefault("content", {"application/json": {"schema": REFUSAL}})
    operation["responses"] = dict(sorted(responses.items()))
