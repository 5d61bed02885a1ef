"""The sandbox as Meta, and its account."""

import pytest

from messaging.models import Account
from tests.messaging.accounts.conftest import api  # noqa: F401
from tests.messaging.sandbox.conftest import only_receiver, only_sandbox, receiver, sandbox  # noqa: F401
from tests.messaging.sandbox.graph_api.calls import WABA


@pytest.fixture
def account(db: None) -> Account:
    """The sandbox's account."""
    return Account.objects.create(waba_id=WABA)
