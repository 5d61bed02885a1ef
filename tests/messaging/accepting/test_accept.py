"""Acceptance: what the statement stores, and what it refuses."""

import pytest
from django.db import DataError

from messaging.accepting.accept import CAMPAIGN_LENGTH, REFERENCE_LENGTH
from messaging.models import Message
from tests.messaging.factories import pending

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("field", "length"), [("reference", REFERENCE_LENGTH), ("campaign", CAMPAIGN_LENGTH)])
@pytest.mark.parametrize("count", [1, 2])
def test_a_text_longer_than_its_column_is_refused_and_not_cut(field: str, length: int, count: int) -> None:
    with pytest.raises(DataError):
        pending(count, **{field: "x" * (length + 1)})
    assert not Message.objects.exists()
