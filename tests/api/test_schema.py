"""The API's description of itself."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.api.test_permissions import CAMPAIGN, MESSAGE, TABLE


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    """The description's paths."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return dict(schema["paths"])


def test_it_is_valid_and_nothing_in_it_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True)
    assert "Warning" not in capsys.readouterr().err


def test_every_endpoint_of_the_api_is_described(paths: dict[str, Any]) -> None:
    ours = {path for _, path in TABLE if path.startswith("/messaging/") and path != "/messaging/health"}
    described = {path.replace("templates/{id}", "templates/0") for path in paths}
    described = {path.replace("{id}", MESSAGE).replace("{campaign}", CAMPAIGN) for path in described}
    assert ours - described == set()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/messaging/send", "/messaging/send/bulk", "/messaging/analytics"])
def test_the_untouched_example_of_the_page_is_accepted(
    path: str, paths: dict[str, Any], client: Client, api_key: str, sqs: Any
) -> None:
    examples = paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    (first, *_) = examples.values()
    answer = client.post(
        path, first["value"], content_type="application/json", headers={"Authorization": f"Bearer {api_key}"}
    )
    assert answer.status_code == 202, answer.content


@pytest.mark.parametrize("path", ["/messaging/send", "/messaging/send/bulk"])
def test_a_send_names_its_header_and_its_refusals(path: str, paths: dict[str, Any]) -> None:
    send = paths[path]["post"]
    assert [parameter["name"] for parameter in send["parameters"]] == ["Idempotency-Key", "estimate"]
    assert {"202", "400", "409", "503"} <= set(send["responses"])
