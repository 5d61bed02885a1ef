"""Numbers of the page lead to lists of messages that can be shown."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from analytics.page.drill_down import MessageLinks
from analytics.questions import Question
from analytics.questions.periods import Period

NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC), ZoneInfo("UTC"))


@pytest.mark.parametrize("country", ["49", "(", "[", "*", "\\", "4|"])
def test_any_country_of_the_address_leads_to_a_list(country: str, admin_client: Client) -> None:
    link = MessageLinks(Question(NOVEMBER, filters={"country": country})).to()
    assert admin_client.get(link).status_code == 200
