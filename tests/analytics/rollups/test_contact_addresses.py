"""One person under a phone number and a user id: an answer from either counts."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from analytics.models import Rollup
from analytics.rollups import sweep as sweeping
from analytics.rollups.dimension_views import WHOLE
from messaging.models import Contact
from tests.analytics.rollups.factories import NOON, inbound, outbound, settle

pytestmark = pytest.mark.django_db
PHONE, USER_ID = "15551230001", "US.13491208655302741918"
SOON = NOON + timedelta(minutes=20)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps follow each other at once."""
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(0))


def answered() -> int:
    found: int | None = Rollup.objects.filter(minutes=15, view=WHOLE).aggregate(n=Sum("answered"))["n"]
    return found or 0


@pytest.mark.parametrize(("sent_to", "answer_from"), [(PHONE, USER_ID), (USER_ID, PHONE), (PHONE, PHONE)])
def test_an_answer_from_the_other_address_of_a_person_counts(sent_to: str, answer_from: str) -> None:
    Contact.objects.create(phone=PHONE, phone_key=PHONE, user_id=USER_ID)
    outbound(NOON, sent_to, status="sent", wamid="w1")
    settle()
    assert answered() == 0
    inbound(SOON, answer_from)
    settle()
    assert answered() == 1


def test_an_answer_of_another_person_does_not_count() -> None:
    Contact.objects.create(phone=PHONE, phone_key=PHONE, user_id="US.1")
    Contact.objects.create(user_id=USER_ID)
    outbound(NOON, PHONE, status="sent", wamid="w1")
    inbound(SOON, USER_ID)
    settle()
    assert answered() == 0


@pytest.mark.parametrize("answer", [{"at": NOON + timedelta(hours=24)}, {"type": "reaction"}, {"origin": "history"}])
def test_what_is_no_answer_is_none_from_the_other_address_either(answer: dict[str, object]) -> None:
    Contact.objects.create(phone=PHONE, phone_key=PHONE, user_id=USER_ID)
    outbound(NOON, PHONE, status="sent", wamid="w1")
    inbound(**{"at": SOON, "peer": USER_ID, **answer})  # type: ignore[arg-type]
    settle()
    assert answered() == 0
