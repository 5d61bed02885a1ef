"""Subscriptions and deliveries by hand."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from messaging.models import Delivery, Subscription
from messaging.subscriber_http.post import Answer
from messaging.subscriptions.changes import subscribe
from messaging.subscriptions.deliveries import DeliveryAttempt, Run, RunResult, claim_runs, record_runs

URL = "http://127.0.0.1:9/hook"
OK, BROKEN = Answer(204, 7), Answer(500, 7, "Answered 500.")


def subscription(url: str = URL, **more: Any) -> Subscription:
    """A subscription to all events, unless `events` says otherwise."""
    return subscribe(url, "tests", **more)


def waiting(of: Subscription, count: int = 1, **fields: Any) -> list[Delivery]:
    """Deliveries that are due, each in the next lane."""
    until = timezone.now() + timedelta(hours=24)
    return [
        Delivery.objects.create(
            **{"subscription": of, "event": "subscription.test", "lane": n % 8, "give_up_at": until, **fields}
        )
        for n in range(count)
    ]


def answered(run: Run, *answers: Answer) -> RunResult:
    """What came of a run whose first posts were answered so."""
    now = timezone.now()
    return RunResult(
        run, tuple(DeliveryAttempt(post, answer, now, now) for post, answer in zip(run.posts, answers, strict=False))
    )


def tell(answer: Answer = OK) -> list[Any]:
    """Post all that is due to endpoints that all answer so; returns the bodies."""
    runs = claim_runs(50)
    record_runs([answered(run, *[answer] * len(run.posts)) for run in runs])
    return [json.loads(post.body) for run in runs for post in run.posts]


def due_now(delivery: Delivery) -> None:
    """Its next try is due."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())
    Subscription.objects.update(paused_until=None)
