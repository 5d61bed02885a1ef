"""Webhooks and retention in any order and any number: no message twice, and none that is beyond its period."""

from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from messaging.incoming.store import receive
from messaging.models import Message
from messaging.retention.deletion_steps import PASS_EVERY, run_step
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.retention.old_rows import days_ago

DAYS = (1, 40, 59, 61, 62, 90)


class Orders(TestCase):
    """Each step delivers one of six messages, or lets retention run to its end."""

    @pytest.fixture(autouse=True)
    def period(self, settings: Any) -> None:
        """Messages for 60 days."""
        settings.RETENTION_MESSAGES_DAYS = 60

    @examples(max_examples=40, deadline=None)
    @given(st.lists(st.one_of(st.sampled_from(DAYS), st.none()), max_size=14))
    def test_each_message_of_the_period_is_stored_once_and_no_other(self, steps: list[int | None]) -> None:
        Message.objects.all().delete()
        now = timezone.now()
        for days in steps:
            now += PASS_EVERY * 2
            if days is None:
                while run_step(now):
                    pass
            else:
                receive(webhook(inbound_text(f"wamid.{days}", at=int(days_ago(days).timestamp()))))
        stored = sorted(str(wamid) for wamid in Message.objects.values_list("wamid", flat=True))
        assert stored == sorted({f"wamid.{days}" for days in steps if days is not None and days < 60})
