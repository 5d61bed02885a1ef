"""No query parameter of any endpoint is a server error, whatever it holds."""

from http import HTTPStatus

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from deploy.local.sqs import Sqs
from tests.api.descriptions import made_once
from tests.api.test_permissions import MESSAGE, TABLE

__all__ = ["made_once"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("made_once")]
# A NUL, half of a surrogate pair, a number beyond every column, no UTF-8.
ODD = ("%00", "a%00b", "%ED%A0%80", "9" * 40, "-1", "%FF", "'\"%25")
# Parameters that frameworks read beside ours.
COMMON = ("version", "lang", "format", "page", "page_size", "cursor")
PATHS = sorted(path for method, path in TABLE if method == "get" and not path.startswith("/admin/"))


@pytest.fixture(scope="module")
def described() -> dict[str, set[str]]:
    """The query parameters of each path in the OpenAPI description."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call]
    return {
        path.replace("{id}", MESSAGE): {
            one["name"] for one in item["get"].get("parameters", ()) if one["in"] == "query"
        }
        for path, item in paths.items()
        if "get" in item
    }


@pytest.mark.slow("sends each parameter of each endpoint")
@pytest.mark.parametrize("path", PATHS)
def test_no_query_parameter_is_a_server_error(
    path: str, described: dict[str, set[str]], admin_client: Client, sqs_server: Sqs
) -> None:
    admin_client.raise_request_exception = False
    broken = []
    for name in sorted({*COMMON, *described.get(path, ())}):
        for value in ODD:
            answer = admin_client.get(f"{path}?{name}={value}")
            if answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
                broken.append(f"{name}={value}")
    assert broken == []
