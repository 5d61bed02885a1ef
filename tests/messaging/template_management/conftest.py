"""The sandbox as Meta, and a client that is an operator."""

import pytest
from rest_framework.test import APIClient

from messaging.models import Account, ApiClient, ApiKey
from tests.messaging.accounts.conftest import api as graph  # noqa: F401
from tests.messaging.sandbox.conftest import only_receiver, only_sandbox, receiver, sandbox  # noqa: F401
from tests.messaging.sandbox.graph_api.calls import WABA


@pytest.fixture
def operator(db: None) -> APIClient:
    """The API, called with an operator's key."""
    client = APIClient()
    key = ApiKey.issue(ApiClient.objects.create(name="operations", operator=True))[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def account(db: None, graph: object) -> Account:  # noqa: F811
    """The sandbox's account."""
    return Account.objects.create(waba_id=WABA, templates_due_at="2100-01-01T00:00Z")
