"""The deliver process: deliveries to subscribers, files and templates from Meta, and retention, apart from the lanes.

Any number may run.
"""

import time
from functools import cache
from typing import Any

from django.utils import timezone

from messaging.media.download import DOWNLOADS_AT_ONCE, downloader
from messaging.media.records import Download, DownloadResult, claim_media, fail_abandoned_downloads, record_media
from messaging.meta_events import template_sync
from messaging.periodic_workers import PeriodicWorker
from messaging.retention import deletion_steps, files
from messaging.subscriber_http.post import SubscriberClient
from messaging.subscriber_http.signature import signed_headers
from messaging.subscriptions.changes import network_policy
from messaging.subscriptions.deliveries import RUN_S, DeliveryAttempt, Run, RunResult, claim_runs, record_runs
from messaging.subscriptions.retention import clean_up_deliveries
from waproject import tracing

# Threads that post. A subscription uses at most eight, one while its endpoint fails.
POST_THREADS = 48
FILE_REMOVALS_AT_ONCE = 4
# Accounts whose templates are fetched from Meta at once.
SYNCS_AT_ONCE = 2


@cache
def subscriber_client() -> SubscriberClient:
    """The client of this process."""
    return SubscriberClient(network_policy())


def post(run: Run) -> RunResult:
    """Post the deliveries of a run in sequence, until one fails or RUN_S is over; the others stay due."""
    attempts: list[DeliveryAttempt] = []
    started_at = time.monotonic()
    for one in run.posts:
        at = timezone.now()
        headers = signed_headers(run.secrets, str(one.id), at, one.body)
        with tracing.span("deliver", [one.traceparent]):
            answer = subscriber_client().post(run.url, one.body, headers)
        attempts.append(DeliveryAttempt(one, answer, at, timezone.now()))
        if not answer.is_success or time.monotonic() - started_at > RUN_S:
            break
    return RunResult(run, tuple(attempts))


def download(claimed: Download) -> DownloadResult:
    """Download a file from Meta and store it, as a part of its message's trace."""
    with tracing.span("download media", [claimed.traceparent]):
        return downloader.download(claimed)


# One row per kind of work.
WORKERS: tuple[PeriodicWorker[Any, Any], ...] = (
    PeriodicWorker("subscriptions", claim_runs, post, record_runs, POST_THREADS, housekeeping=clean_up_deliveries),
    PeriodicWorker(
        "media",
        claim_media,
        download,
        record_media,
        DOWNLOADS_AT_ONCE,
        idle_s=0.5,
        housekeeping=fail_abandoned_downloads,
    ),
    PeriodicWorker(
        "templates", template_sync.claim_syncs, template_sync.fetch, template_sync.record, SYNCS_AT_ONCE, idle_s=1.0
    ),
    PeriodicWorker(
        "retention",
        files.claim_removals,
        files.remove,
        files.record_removals,
        FILE_REMOVALS_AT_ONCE,
        idle_s=5.0,
        housekeeping=deletion_steps.housekeeping,
    ),
)
