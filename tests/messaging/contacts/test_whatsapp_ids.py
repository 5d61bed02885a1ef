"""A number that Meta knows by another one takes along what waits for it, and nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.accepting.python_api import send_text_message
from messaging.contacts.whatsapp_ids import known_numbers, record_whatsapp_ids
from messaging.incoming.store import receive
from messaging.models import Contact, Message
from messaging.states import Status
from tests.messaging.bodies import inbound_text, webhook

pytestmark = pytest.mark.django_db
OLD, NEW, OTHER = "22997000000", "2290197000000", "15551230001"


def peers() -> dict[str, str]:
    """Recipients by text."""
    return {str(row.text): row.peer for row in Message.objects.all()}


def test_what_waits_for_other_numbers_stays() -> None:
    for peer in (OLD, OTHER):
        send_text_message(peer, f"to {peer}", send_at=timezone.now() + timedelta(hours=1))
    record_whatsapp_ids({OLD: NEW})
    assert peers() == {f"to {OLD}": NEW, f"to {OTHER}": OTHER}


@pytest.mark.parametrize(
    "fields", [{"released_at": timezone.now()}, {"outcome_at": timezone.now()}, {"status": Status.SENT, "due_at": None}]
)
def test_what_does_not_wait_keeps_the_number_that_it_was_sent_to(fields: dict[str, object]) -> None:
    send_text_message(OLD, "hi")
    Message.objects.update(**fields)
    record_whatsapp_ids({OLD: NEW})
    assert peers() == {"hi": OLD}


@pytest.mark.parametrize(("hold", "after"), [("pair", None), ("campaign", "campaign")])
def test_a_parked_message_joins_the_line_of_the_new_number_and_a_held_one_stays_held(hold: str, after: object) -> None:
    send_text_message(OLD, "hi")
    Message.objects.update(hold=hold)
    record_whatsapp_ids({OLD: NEW})
    row = Message.objects.get()
    assert (row.peer, row.sent_to, row.hold) == (NEW, NEW, after)


def test_the_contact_of_the_old_number_gets_the_new_one() -> None:
    receive(webhook(inbound_text(sender=OLD)))
    record_whatsapp_ids({OLD: NEW})
    assert [row.phone for row in Contact.objects.all()] == [NEW]


def test_an_answer_for_a_stranger_makes_no_contact() -> None:
    record_whatsapp_ids({OLD: NEW})
    assert not Contact.objects.exists()


def test_a_number_is_known_once_meta_has_confirmed_it() -> None:
    record_whatsapp_ids({OLD: NEW})
    assert known_numbers([OLD, NEW, OTHER]) == {OLD, NEW}


def test_no_number_is_known_of_none() -> None:
    assert known_numbers([]) == set()
