"""The refresh of accounts: one that Meta refuses keeps no other from its turn."""

from typing import Any

import pytest

from messaging.meta_setup import refresh
from messaging.models import BusinessNumber
from messaging.whatsapp.errors import Misconfigured, NotSent, Rejected, WhatsAppError

pytestmark = pytest.mark.django_db


class Api:
    """A client that is closed."""

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("error", "refreshed"),
    [(Rejected(code=100), ["3"]), (Misconfigured(code=200), ["3"]), (NotSent(), [])],
    ids=["refused", "without permission", "Meta does not answer"],
)
def test_an_account_that_meta_refuses_keeps_no_other_from_its_turn(
    error: WhatsAppError, refreshed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(api: Any, waba_id: str, token_name: str) -> None:
        if waba_id == "2":
            raise error
        BusinessNumber.objects.create(phone_number_id=waba_id)

    monkeypatch.setattr(refresh, "graph_api", lambda _: Api())
    monkeypatch.setattr(refresh, "known_accounts", lambda *_: ["2", "3"])
    monkeypatch.setattr(refresh, "sync_account", sync)
    refresh.refresh_accounts()
    assert list(BusinessNumber.objects.values_list("phone_number_id", flat=True)) == refreshed
