"""What monitoring reads of numbers and portfolios."""

import pytest

from messaging import monitoring_queries as queries
from messaging.models import Priority
from tests.messaging.factories import pending
from tests.messaging.portfolios.limited_portfolio import limited, release_all

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("priority", Priority)
def test_each_message_that_waits_for_the_limit_counts_once(priority: Priority) -> None:
    limited(10)
    pending(12, priority=priority)
    sent = len(release_all())
    (portfolio,) = queries.portfolio_states()
    assert (portfolio.waiting, sent > 0) == (12 - sent, True)
