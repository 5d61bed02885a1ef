"""The deliver process: requests to subscribers and downloads from Meta, off the lanes. Any number may run."""

import time
from functools import cache
from typing import Any

from django.utils import timezone

from messaging.media.download import AT_ONCE, fetcher
from messaging.media.records import claim_media, record_media, tidy_media
from messaging.periodic_workers import PeriodicWorker
from messaging.subscriber_http.post import Poster
from messaging.subscriber_http.signature import signed_headers
from messaging.subscriptions.deliveries import RUN_S, Ran, Run, Tried, claim_runs, record_runs
from messaging.subscriptions.manage import reach
from messaging.subscriptions.retention import tidy_deliveries

# Threads that post. A subscription uses at most eight of them, one while it fails.
POSTING = 48


@cache
def poster() -> Poster:
    """This process's poster."""
    return Poster(reach())


def post(run: Run) -> Ran:
    """Post a run's deliveries in order, until one fails or the time is up; the rest keep their place."""
    tried: list[Tried] = []
    begun = time.monotonic()
    for one in run.posts:
        at = timezone.now()
        headers = signed_headers(run.secrets, str(one.id), at, one.body)
        answer = poster().post(run.url, one.body, headers)
        tried.append(Tried(one, answer, at, timezone.now()))
        if not answer.is_success or time.monotonic() - begun > RUN_S:
            break
    return Ran(run, tuple(tried))


# One row per kind of work.
WORKERS: tuple[PeriodicWorker[Any, Any], ...] = (
    PeriodicWorker("subscriptions", claim_runs, post, record_runs, POSTING, housekeeping=tidy_deliveries),
    PeriodicWorker("media", claim_media, fetcher.fetch, record_media, AT_ONCE, idle_s=0.5, housekeeping=tidy_media),
)
