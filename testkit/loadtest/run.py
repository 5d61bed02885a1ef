"""The load: sends and users' messages at a fixed rate until it ends or Ctrl-C stops it."""

import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from testkit.load import http_load, webhook_load
from testkit.load.http_load import Answers
from testkit.loadtest.installation import Access
from testkit.loadtest.progress import Progress

ACCEPTED = 202
TAKEN = 200
# No two messages of a run go to one recipient, and rarely those of two runs: +1 555 2000000 to 6999999.
FIRST_RECIPIENT, RECIPIENTS = 2_000_000, 5_000_000
TEXT = "Your parcel arrives today between 2 and 4 pm."


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate` sends and `rate` messages of users a second, for `seconds`."""

    rate: float
    seconds: float

    @property
    def count(self) -> int:
        """How many of each."""
        return max(1, round(self.rate * self.seconds))


@dataclass(frozen=True, slots=True)
class Load:
    """What was sent and how it was answered; the answers are as many as requests were begun."""

    campaign: str
    recipients: list[str]
    sends: Answers
    wamids: list[str]
    webhooks: Answers
    interrupted: bool

    @property
    def accepted(self) -> set[str]:
        """The recipients whose message was answered 202."""
        return _with_status(self.recipients, self.sends, ACCEPTED)

    @property
    def taken(self) -> set[str]:
        """The wamids whose webhook was answered 200."""
        return _with_status(self.wamids, self.webhooks, TAKEN)


def run(plan: Plan, access: Access, number_id: str, campaign: str, output: TextIO) -> Load:
    """Make the load. SIGINT or SIGTERM ends it early: what is asked by then is still answered."""
    to = _recipients(plan.count)
    env = {"BASE_URL": access.url, "WA_PHONE_NUMBER_ID": number_id, "WA_APP_SECRET": access.app_secret}
    inbound = webhook_load.inbound_with_wamids(env, plan.count)
    sends = [_send(access, number, campaign) for number in to]
    webhooks = [request for request, _ in inbound]
    progress = Progress(output, plan.count * 2, plan.seconds)
    answers, interrupted = asyncio.run(_both(access.url, plan.rate, sends, webhooks, progress))
    progress.end()
    return Load(campaign, to, answers[0], [wamid for _, wamid in inbound], answers[1], interrupted)


async def _both(
    url: str, rate: float, sends: list[bytes], webhooks: list[bytes], progress: Progress
) -> tuple[tuple[Answers, Answers], bool]:
    stop = asyncio.Event()
    with _signals(stop):
        drawing = asyncio.create_task(progress.draw_until_cancelled())
        load = (
            http_load.load(url, sends, rate, stop=stop, answered=lambda status: progress.count(status == ACCEPTED)),
            http_load.load(url, webhooks, rate, stop=stop, answered=lambda status: progress.count(status == TAKEN)),
        )
        answers = await asyncio.gather(*load)
        drawing.cancel()
    return (answers[0], answers[1]), stop.is_set()


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """The first SIGINT or SIGTERM stops the load; after that they do what they did before."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        stop.set()
        restore()

    def restore() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        restore()


def _recipients(count: int) -> list[str]:
    first = random.randrange(RECIPIENTS)  # noqa: S311 - no secret
    return [f"1555{FIRST_RECIPIENT + (first + n) % RECIPIENTS}" for n in range(count)]


def _send(access: Access, to: str, campaign: str) -> bytes:
    body = {"phone_number": f"+{to}", "message_type": "text", "message_data": {"content": TEXT}, "campaign": campaign}
    headers = {"Authorization": f"Bearer {access.api_key}"}
    return http_load.request(f"{access.url}/messaging/send", json.dumps(body).encode(), headers)


def _with_status(names: list[str], answers: Answers, status: int) -> set[str]:
    return {name for name, found in zip(names, answers.statuses, strict=False) if found == status}


def errors(answers: Answers, good: int) -> dict[str, int]:
    """How often each other status was answered; "no answer" where none came within 30 s."""
    found = Counter(str(status) if status else "no answer" for status in answers.statuses if status != good)
    return dict(sorted(found.items()))


def new_campaign() -> str:
    """A name that no other run has."""
    return f"loadtest-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{random.randrange(16**4):04x}"  # noqa: S311
