"""Meta's refusals of changes: the status, the field and the sentence of our answer."""

from typing import Any

import pytest

from messaging.template_management.meta_refusals import refusal_of
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, from_response


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": 100, "error_subcode": 2388024, "message": "Invalid parameter"}, (400, "name")),
        (400, {"code": 100, "error_subcode": 2388019, "message": "Invalid parameter"}, (400, "account")),
        (400, {"code": 100, "error_subcode": 2593002, "message": "Message template not found"}, (404, "detail")),
        (400, {"code": 100, "error_subcode": 33, "message": "Unsupported post request"}, (404, "detail")),
        (400, {"code": 100, "message": "Invalid parameter"}, (400, "detail")),
        (400, {"code": 100, "error_user_msg": "component of type BODY is missing example"}, (400, "components")),
        (400, {"code": 100, "error_data": "components[1].buttons[0] is invalid"}, (400, "components[1].buttons[0]")),
        (400, {"code": 100, "error_user_msg": "New English content cannot be added: language"}, (400, "language")),
        (400, {"code": 100, "error_user_msg": "You cannot change the category"}, (400, "category")),
        (400, {"code": 192, "message": "a code that the table does not have"}, (400, "detail")),
        (401, {"code": 190, "message": "Session has expired"}, (409, "detail")),
        (403, {"code": 200, "message": "No permission"}, (409, "detail")),
        (400, {"code": 80007, "message": "Rate limit"}, (503, "detail")),
        (429, {}, (503, "detail")),
        (400, {"code": 2, "message": "Service temporarily unavailable"}, (503, "detail")),
    ],
)  # fmt: skip
def test_an_answer_of_meta_becomes_an_answer_of_ours(
    status: int, error: dict[str, Any], expected: tuple[int, str]
) -> None:
    refusal = refusal_of(from_response(status, {"error": error}, {}))
    assert (refusal.status, refusal.field) == expected


@pytest.mark.parametrize(
    ("error", "is_unknown"),
    [(NotSent(), False), (OutcomeUnknown(), True), (from_response(500, {"error": {"code": 1}}, {}), True)],
)
def test_a_lost_answer_is_not_told_as_a_refusal(error: Any, is_unknown: bool) -> None:
    refusal = refusal_of(error)
    described = (refusal.status, refusal.is_unknown, "may have been made" in refusal.message)
    assert described == (503, is_unknown, is_unknown)


def test_the_sentence_has_meta_s_words_once() -> None:
    error = {"code": 100, "message": "(#100) Too long.", "error_data": {"details": "Too long."}}
    assert refusal_of(from_response(400, {"error": error}, {})).message == "WhatsApp refused it: Too long (code 100)"
