"""Faults of the Cloud API: it loses answers to messages that it accepted, refuses, hangs, throttles."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

from chaos.scenario import Injected
from chaos.sending.trial import Inject, Site
from testkit.load.sandbox import FaultHits

BACKLOG_S = 1.0
ONE_IN = 20
FIRST_S = 2.0
STORMS = 3
STORM_S = 2.5
STORM_REFUSALS = 40
PAIRS_ONE_IN = 5
UNTIDY = {
    "webhook_copies": 0.3, "webhook_delay_ms": [0, 6000], "webhook_batch": 50, "webhook_batch_ms": 300,
    "skip_delivered": 0.3, "status_before_answer": 0.1,
}  # fmt: skip
TIDY = {
    "webhook_copies": 0, "webhook_delay_ms": [0, 0], "webhook_batch": 1, "skip_delivered": 0, "status_before_answer": 0,
}  # fmt: skip
LATE = "SELECT count(*) FROM messaging_messageevent WHERE source = 'webhook' AND NOT applied"


def one_in_twenty(*outcomes: dict[str, Any]) -> Inject:
    """5 % of all calls end so, each outcome as often as the others. A hit is a call; none if an outcome has none."""

    def inject(site: Site) -> Injected:
        faults = [{"trigger": {"every": ONE_IN * len(outcomes)}, "outcome": outcome} for outcome in outcomes]
        each = _during(site, faults, partial(_wait, site))
        return Injected(sum(each) if all(each) else 0, f"{' + '.join(map(str, each))} calls")

    return inject


def untidy_webhooks(site: Site) -> Injected:
    """Statuses come late, out of order, several at once and some twice, while 5 % of the answers are lost.

    A hit is a lost answer; there is none if no status came out of order.
    """
    site.harm(site.pipeline.sandbox.call, "POST", "settings", UNTIDY)
    try:
        lost = one_in_twenty({"drop": "after_accept"}, {"drop": "before_accept"})(site)
    finally:
        # What is on its way then still comes untidily.
        site.pipeline.sandbox.call("POST", "settings", TIDY)
    late = site.pipeline.number(LATE)
    return Injected(lost.hits if late else 0, f"{lost.remark}; {late} statuses out of order")


def hangs(site: Site) -> Injected:
    """No call is answered for a while, and none accepted. A hit is a call."""
    time.sleep(FIRST_S)
    always = {"trigger": {"always": True}, "outcome": {"hang": "before_accept"}}
    (hung,) = _during(site, [always], lambda: time.sleep(site.seconds))
    return Injected(hung, f"for {site.seconds:.0f} s")


def throttles(site: Site) -> Injected:
    """Storms of 130429 for the number; one call in five gets 131056 for its recipient. A hit is a refused call.

    There is none if one of the two never hit.
    """
    storm = {"trigger": {"next": STORM_REFUSALS}, "outcome": {"error": 130429, "status": 429}}
    # A throttled number makes about a dozen calls in a storm.
    pairs = {"trigger": {"every": PAIRS_ONE_IN}, "outcome": {"error": 131056, "status": 400}}
    of_number = of_pairs = 0
    for _ in range(STORMS):
        time.sleep(FIRST_S)
        hits = _during(site, [pairs, storm], lambda: time.sleep(STORM_S))
        of_pairs, of_number = of_pairs + hits[0], of_number + hits[1]
    refused = of_number + of_pairs if of_number and of_pairs else 0
    return Injected(refused, f"{of_number} by 130429, {of_pairs} by 131056, in {STORMS} storms")


def _wait(site: Site) -> None:
    site.load.wait()
    time.sleep(BACKLOG_S)


def _during(site: Site, faults: list[dict[str, Any]], work: Callable[[], object]) -> list[int]:
    """How many calls each fault hit during this work."""
    number_id = site.pipeline.env["WA_PHONE_NUMBER_ID"]
    none = FaultHits()
    with site.harm(site.pipeline.sandbox.faults, number_id, faults) or nullcontext(none) as hits:
        work()
    return hits.each or [0] * len(faults)
