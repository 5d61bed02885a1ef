"""The deliver process: requests to subscribers and downloads from Meta, off the lanes. Any number may run."""

import time
from functools import cache
from typing import Any

from django.utils import timezone

from messaging.media.download import AT_ONCE, fetcher
from messaging.media.records import claim_media, record_media, tidy_media
from messaging.periodic_workers import Round
from messaging.subscriber_http.post import Poster
from messaging.subscriber_http.signature import signed_headers
from messaging.subscriptions.deliveries import RUN_S, Ran, Run, Tried, claim_runs, record_runs
from messaging.subscriptions.manage import reach
from messaging.subscriptions.retention import tidy_deliveries
from waproject import tracing

# Threads that post. A subscription has at most eight lanes at once, one while it fails.
POSTING = 48


@cache
def poster() -> Poster:
    """This process's."""
    return Poster(reach())


def post(run: Run) -> Ran:
    """Post a run, one delivery after the other, until one fails or time is up; the others keep their turn."""
    tried: list[Tried] = []
    begun = time.monotonic()
    for one in run.posts:
        at = timezone.now()
        headers = signed_headers(run.secrets, str(one.id), at, one.body)
        with tracing.span("deliver", [one.traceparent]):
            answer = poster().post(run.url, one.body, headers)
        tried.append(Tried(one, answer, at, timezone.now()))
        if not answer.is_success or time.monotonic() - begun > RUN_S:
            break
    return Ran(run, tuple(tried))


# One line for each kind of work; `messaging.periodic_workers.Round` says what a round is.
ROUNDS: tuple[Round[Any, Any], ...] = (
    Round("subscriptions", claim_runs, post, record_runs, POSTING, tidy=tidy_deliveries),
    Round("media", claim_media, fetcher.fetch, record_media, AT_ONCE, idle_s=0.5, tidy=tidy_media),
)
