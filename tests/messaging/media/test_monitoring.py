"""The figures of files in monitoring."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.media_states import RETRY_PERIOD
from messaging.models import Media
from monitoring.metrics import gauges
from tests.messaging.bodies import inbound_text, webhook
from tests.monitoring.readings import database_readings

pytestmark = pytest.mark.django_db


def test_waiting_late_and_failed_files_are_counted() -> None:
    photos = [{**inbound_text(wamid=f"wamid.{n}"), "type": "image", "image": {"id": str(n)}} for n in range(4)]
    receive(webhook(*photos))
    first, second, third, _ = Media.objects.all()
    now = timezone.now()
    Media.objects.filter(pk=first.pk).update(give_up_at=now + RETRY_PERIOD - timedelta(hours=2))
    Media.objects.filter(pk=second.pk).update(state="gone", finished_at=now)
    Media.objects.filter(pk=third.pk).update(state="stored", finished_at=now)
    readings = database_readings()
    assert [readings[gauges.MEDIA_FILES.name, state] for state in ("waiting", "late", "lost")] == [2, 1, 1]
