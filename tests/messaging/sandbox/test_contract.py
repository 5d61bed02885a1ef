"""The sandbox and the pipeline, which share no rule, agree on what they say to each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.sandbox.error_codes import usual_http_status
from messaging.whatsapp import errors
from messaging.whatsapp.client import CloudApi
from messaging.whatsapp.error_codes import CODES, Kind
from messaging.whatsapp.outbound import build
from tests.waiting import eventually

from .process import NUMBER, TOKEN, Sandbox, text_message

CLASSES = {
    Kind.THROTTLED: errors.Throttled,
    Kind.UNAVAILABLE: errors.Unavailable,
    Kind.REJECTED: errors.Rejected,
    Kind.MISCONFIGURED: errors.Misconfigured,
}
SERVER_ERROR = 500
PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
# The page's examples of every type of message: JSON in the single quotes of a shell.
EXAMPLES = [
    json.loads("{" + found.replace("'\\''", "'") + "}")
    for found in re.findall(r"^as_ann '((?:[^']|'\\'')*)'", PAGE.read_text(), re.MULTILINE)
]


@pytest.fixture(scope="module")
def api(only_sandbox: Sandbox) -> Iterator[CloudApi]:
    api = CloudApi(f"http://127.0.0.1:{only_sandbox.port}", "v25.0", TOKEN, read_timeout=0.2, total_timeout=2)
    yield api
    api.close()


@pytest.mark.parametrize("code", CODES)
def test_a_number_of_a_code_is_refused_as_its_table_says(api: CloudApi, sandbox: Sandbox, code: int) -> None:
    # A 5xx leaves open what became of the message, whatever its code.
    unknown = usual_http_status(code) >= SERVER_ERROR
    expected: type[errors.WhatsAppError] = errors.OutcomeUnknown if unknown else CLASSES[CODES[code].kind]
    with pytest.raises(expected) as refusal:
        api.send(NUMBER, {**text_message(), "to": f"15559{code:06}"})
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "outcome",
    [
        {"hang": "after_accept"},
        {"hang": "before_accept"},
        {"drop": "after_accept"},
        {"drop": "before_accept"},
        {"status": 503},
        {"status": 500, "after_accept": True},
        {"slow": 400},
    ],
)
def test_a_lost_answer_leaves_the_outcome_unknown(api: CloudApi, sandbox: Sandbox, outcome: dict[str, object]) -> None:
    sandbox.post("/_sandbox/faults", {"outcome": outcome})
    with pytest.raises(errors.OutcomeUnknown):
        api.send(NUMBER, text_message())
    # What is accepted late would be found in the ledger of a later test.
    if "slow" in outcome:
        assert eventually(lambda: sandbox.ledger()["count"] == 1)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["message_type"]))
def test_what_the_page_of_the_api_shows_is_accepted(sandbox: Sandbox, example: dict[str, Any]) -> None:
    body = build(example["message_type"], example["message_data"], to="15551230001", callback_data="id")
    status, answer = sandbox.request("POST", f"/v25.0/{NUMBER}/messages", body)
    assert (status, answer.get("error")) == (200, None)


def test_the_page_has_an_example_of_every_type_but_text() -> None:
    types = {example["message_type"] for example in EXAMPLES}
    assert types == {
        *("audio", "contacts", "document", "image", "interactive"),
        *("location", "reaction", "sticker", "template", "video"),
    }
