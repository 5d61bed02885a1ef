"""The link from the message list to the analytics page keeps the filters that both have."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from messaging.identifiers import first_uuid7
from messaging.messages.admin_filters import AGES
from messaging.messages.analytics_filters import analytics_filters
from tests.messaging.factories import number
from waproject.web.analytics_links import full_quarter

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 5, 10, 7, 30, tzinfo=UTC)
QUARTER = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)


def test_the_filters_that_both_have_are_kept() -> None:
    names = ("direction", "status", "type", "template", "campaign", "error_code")
    query = {f"{name}__exact": f"{name} x" for name in names}
    assert analytics_filters({**query, "q": "spring", "priority__exact": "2"}) == {name: f"{name} x" for name in names}


def test_an_empty_filter_is_none() -> None:
    assert analytics_filters({"status__exact": "", "age": "", "number__id__exact": ""}) == {}


def test_a_sender_has_its_name_at_meta() -> None:
    sender = number()
    assert analytics_filters({"number__id__exact": str(sender.pk)}) == {"sender": sender.phone_number_id}
    assert analytics_filters({"number__id__exact": "no such"}) == {"sender": ""}


@pytest.mark.parametrize("age", list(AGES))
def test_an_age_is_counted_from_now(age: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT)
    assert analytics_filters({"age": age}) == {"since": full_quarter(AT - AGES[age][1])}


def test_an_unknown_age_is_none() -> None:
    assert analytics_filters({"age": "of reason"}) == {}


def test_ids_bound_the_time_by_full_quarters_of_an_hour() -> None:
    found = analytics_filters({"id__gte": str(first_uuid7(AT)), "id__lt": str(first_uuid7(AT))})
    expected = {"since": QUARTER, "until": QUARTER + timedelta(minutes=15)}
    assert found == {name: full_quarter(at) for name, at in expected.items()}


def test_an_end_at_a_full_quarter_stays() -> None:
    found = analytics_filters({"id__lt": str(first_uuid7(QUARTER))})
    assert found == {"until": full_quarter(QUARTER)}


@pytest.mark.parametrize("value", ["odd", str(UUID(int=2**128 - 1)), ""])
def test_an_odd_id_bounds_nothing(value: str) -> None:
    assert analytics_filters({"id__gte": value, "id__lt": value}) == {}


def test_the_last_quarter_of_all_has_no_end() -> None:
    assert analytics_filters({"id__lt": str(first_uuid7(datetime(9999, 12, 31, 23, 50, tzinfo=UTC)))}) == {}
