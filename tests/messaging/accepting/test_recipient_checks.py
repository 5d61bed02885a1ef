"""The checks of a recipient whom Meta knows by another number."""

from typing import Any

import pytest
from django.utils import timezone

from messaging.accepting.accept import NewMessage
from messaging.accepting.recipient_checks import check_recipient
from messaging.contacts.whatsapp_ids import record_whatsapp_ids
from messaging.incoming.store import receive
from messaging.models import Contact
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import number

pytestmark = pytest.mark.django_db
# Benin has put 01 before each number.
OLD, NEW = "22997000001", "2290197000001"


def checked() -> Any:
    """The check of a text to the old number."""
    return check_recipient(NewMessage(OLD, "text", {"content": "hi"}, number()), windows=True)


@pytest.mark.parametrize(("peer", "wa_ids"), [(OLD, {}), (NEW, {OLD: NEW})], ids=["unknown to Meta", "renumbered"])
def test_a_message_goes_to_the_number_that_meta_knows(peer: str, wa_ids: dict[str, str]) -> None:
    record_whatsapp_ids(wa_ids)
    assert checked().message.peer == peer


@pytest.mark.parametrize(("at", "is_closed"), [(0, False), (-90_000, True)], ids=["just now", "a day ago"])
def test_the_window_of_the_new_number_counts(at: int, is_closed: bool) -> None:
    record_whatsapp_ids({OLD: NEW})
    receive(webhook(inbound_text(sender=NEW, at=int(timezone.now().timestamp()) + at)))
    assert checked().window_closed is is_closed


def test_the_block_of_the_new_number_counts() -> None:
    record_whatsapp_ids({OLD: NEW})
    receive(webhook(inbound_text(sender=NEW)))
    Contact.objects.update(blocked_at=timezone.now())
    assert "blocked" in checked().refusal
