"""Each of Meta's codes: its HTTP status, and that a refusal with it names it."""

from __future__ import annotations

import pytest

from messaging.sandbox.error_codes import title_of, usual_http_status

from .process import NUMBER, Sandbox, text_message

HTTP_STATUSES = {
    400: [
        1, 33, 100, 613, 130403, 130472, 130501, 131008, 131009, 131021, 131026, 131030, 131037, 131042, 131044,
        131047, 131049, 131050, 131051, 131052, 131053, 131055, 131060, 131062, 131063, 131064, 132000, 132005,
        132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069, 133005, 133006, 133008, 133009, 133010,
        133015, 133016, 134011, 134100, 134101, 135000, 137000, 139100, 139103, 147001, 147005,
    ],
    401: [0, 190],
    403: [10, 200, 299, 368, 130497, 131005, 131031],
    404: [132001],
    429: [4, 80007, 130429, 131048, 131056],
    500: [3, 131000, 131016, 131045, 131057, 133000, 134102],
    503: [2, 133004],
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code"), [(status, code) for status, codes in HTTP_STATUSES.items() for code in codes]
)
def test_a_code_has_metas_http_status_and_a_title_of_its_own(status: int, code: int) -> None:
    assert (usual_http_status(code), title_of(code) != title_of(999_999)) == (status, True)


def test_an_unknown_code_has_the_title_of_errors_without_a_reason() -> None:
    assert (usual_http_status(999_999), title_of(999_999)) == (400, "An unknown error occurred")


@pytest.mark.parametrize(
    ("to", "status", "error"),
    [
        ("15559131026", 400, {"code": 131026, "message": "(#131026) Message undeliverable"}),
        ("15559130429", 429, {"code": 130429, "message": "(#130429) Rate limit hit"}),
        ("15559000190", 401, {"code": 190, "message": "(#190) Access token has expired"}),
    ],
)
def test_a_refusal_has_metas_shape(sandbox: Sandbox, to: str, status: int, error: dict[str, object]) -> None:
    answer = sandbox.request("POST", f"/v25.0/{NUMBER}/messages", {**text_message(), "to": to})
    assert answer[0] == status
    assert answer[1]["error"].items() >= error.items()
    assert sorted(answer[1]["error"]) == ["code", "error_data", "fbtrace_id", "message", "type"]
