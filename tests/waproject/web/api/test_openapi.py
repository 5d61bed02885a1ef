"""What is added to the description of each operation."""

from typing import Any

import pytest

from waproject.web.api.openapi import REFUSAL, TEXT, add_refusals

CONTENT = {"application/json": {"schema": REFUSAL}}
USUAL = {
    "400": {"description": "Errors by field or parameter; nothing was changed.", "content": CONTENT},
    "401": {"description": "No valid API key: see `detail`.", "content": CONTENT},
    "403": {"description": "The caller may not do this.", "content": CONTENT},
    "503": {"description": "The database, SQS or Meta does not answer: see Retry-After.", "content": CONTENT},
}
NOT_FOUND = {"404": {"description": "No object has this id, name or cursor.", "content": CONTENT}}
BODY = {
    "413": {"description": "The body is too large.", "content": CONTENT},
    "415": {"description": "The body has another type than the operation takes.", "content": CONTENT},
}


def described(path: str, operation: dict[str, Any], method: str = "get") -> dict[str, Any]:
    """The operation after the hook."""
    result = {"paths": {path: {method: {"responses": {"200": {}}, **operation}}}, "components": {"schemas": {}}}
    found: dict[str, Any] = add_refusals(result)["paths"][path][method]
    return found


def parameter(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "schema": schema}


@pytest.mark.parametrize(
    ("path", "operation", "responses"),
    [
        ("/a", {}, {"200": {}, **USUAL}),
        ("/a/{id}", {}, {"200": {}, **USUAL, **NOT_FOUND}),
        ("/a", {"parameters": [parameter("cursor")]}, {"200": {}, **USUAL, **NOT_FOUND}),
        ("/a", {"parameters": [parameter("page_size")]}, {"200": {}, **USUAL}),
        ("/a", {"requestBody": {}}, {"200": {}, **USUAL, **BODY}),
        (
            "/a",
            {"responses": {"409": {"description": "x"}, "403": {"description": "y", "content": "z"}, "302": {}}},
            {
                **USUAL,
                "302": {},
                "403": {"description": "y", "content": "z"},
                "409": {"description": "x", "content": CONTENT},
            },
        ),
    ],
    ids=["usual", "a path with an id", "a cursor", "no cursor", "a body", "responses of its own"],
)
def test_an_operation_has_its_refusals(path: str, operation: dict[str, Any], responses: dict[str, Any]) -> None:
    found = described(path, operation)["responses"]
    assert found == responses
    assert list(found) == sorted(found)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_every_method_has_its_refusals(method: str) -> None:
    assert "503" in described("/a", {}, method)["responses"]


def test_a_note_beside_the_methods_gets_no_refusals() -> None:
    assert described("/a", {}, "x-note") == {"responses": {"200": {}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"type": "string", "pattern": TEXT, "minLength": 1}),
        ({"type": "string", "minLength": 3}, {"type": "string", "pattern": TEXT, "minLength": 3}),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}),
        ({"type": "string", "pattern": "a"}, {"type": "string", "pattern": "a"}),
        ({"type": "integer"}, {"type": "integer"}),
        ({}, {}),
    ],
)
def test_a_text_in_a_query_holds_no_nul_and_is_not_blank(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    (found,) = described("/a", {"parameters": [parameter("name", **schema)]})["parameters"]
    assert found["schema"] == expected


def test_requests_refuse_unknown_fields_and_answers_may_have_more() -> None:
    schemas: dict[str, Any] = {"SendRequest": {"properties": {}}, "Send": {"properties": {}}, "AnyRequest": {}}
    result = add_refusals({"paths": {}, "components": {"schemas": schemas}})
    assert result["components"]["schemas"] == {
        "SendRequest": {"properties": {}, "additionalProperties": False}, "Send": {"properties": {}}, "AnyRequest": {},
    }  # fmt: skip
