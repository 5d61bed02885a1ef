"""The API keeps to its OpenAPI description: statuses, content types, bodies, and what is valid.

CI runs the long form, `CONTRACT_EXAMPLES=15`; `CONTRACT_SEED` chooses other examples.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error, positive_data_acceptance
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth

from deploy.local.sqs import Sqs
from messaging.models import ApiClient, Message
from tests.api.test_permissions import QUESTIONS
from tests.messaging.factories import pending
from tests.messaging.message_templates.rows import synced_template
from tests.messaging.subscriptions.factories import subscription, waiting

# Without their description, which takes half a second of each worker that only collects these tests.
OPERATIONS = [
    f"{method} {path.replace('{pk}', '{id}')}"
    for path, _, method, _ in SchemaGenerator.endpoint_inspector_cls().get_api_endpoints()  # type: ignore[no-untyped-call]
    if not path.startswith("/api/")
]
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "5"))
SEED = int(os.environ.get("CONTRACT_SEED", "1"))
# What is valid here beyond what JSON Schema can say: a field depends on another, a type on a file's content, an address
# on what it resolves to, a time on the clock. Their tables of refusals are tests of their own.
BEYOND_JSON_SCHEMA = {
    "POST /messaging/send",
    "POST /messaging/send/bulk",
    "POST /messaging/media",
    "POST /messaging/analytics",
    "POST /analytics/events",
    "GET /analytics/costs",
    "GET /analytics/export",
    "GET /analytics/events",
    *(f"GET /analytics/{question}" for question in QUESTIONS),
    "POST /messaging/subscriptions",
    "PATCH /messaging/subscriptions/{id}",
}
# They call Meta, which is away in these tests: a 503, as described.
CALLS_META = {"POST /messaging/media", "POST /messaging/messages/{id}/read"}
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The operations by method and path."""
    description = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema = schemathesis.openapi.from_dict(description)
    schema.app = get_wsgi_application()
    found = (result.ok() for result in schema.get_all_operations() if isinstance(result, Ok))
    return {f"{operation.method.upper()} {operation.path}": operation for operation in found}


@pytest.fixture(autouse=True)
def same_connection() -> Iterator[None]:
    """A request keeps the connection, and with it the test's transaction, as under Django's test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def same_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples by the seed alone: Hypothesis adds constants of all our imported modules, which differ by worker."""
    monkeypatch.setattr(providers, "_get_local_constants", Constants)
    providers.CONSTANTS_CACHE.cache.clear()


@pytest.fixture
def existing(api_key: str) -> dict[str, str]:
    """The key of the client "shop", and ids of its own by the beginning of a path."""
    shop = ApiClient.objects.get()
    one = subscription(client=shop)
    (message,) = pending()
    Message.objects.update(client=shop)
    return {
        "key": api_key,
        "/messaging/messages": str(message.pk),
        "/messaging/subscriptions": str(one.pk),
        "/messaging/templates": str(synced_template().pk),
        "/messaging/deliveries": str(waiting(one)[0].pk),
    }


def test_each_described_operation_is_asked(described: dict[str, Any]) -> None:
    assert sorted(described) == sorted(OPERATIONS)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_are_as_described(
    name: str, mode: GenerationMode, described: dict[str, Any], existing: dict[str, str], sqs_server: Sqs
) -> None:
    operation = described[name]
    known = next((pk for prefix, pk in existing.items() if operation.path.startswith(prefix)), "")

    # Without a key: test_permissions.py asks each operation once.
    excluded = [ignored_auth]
    excluded += [positive_data_acceptance] if name in BEYOND_JSON_SCHEMA else []
    excluded += [not_a_server_error] if name in CALLS_META else []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        if known and "id" in case.path_parameters and mode is GenerationMode.POSITIVE:
            case.path_parameters["id"] = known
        case.call_and_validate(
            base_url="http://testserver",
            headers={"Authorization": f"Bearer {existing['key']}"},
            excluded_checks=excluded,
        )

    run()
