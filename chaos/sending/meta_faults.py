"""What the Cloud API may do: lose its answer after it took a message, refuse, hang, throttle."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chaos.sending.clients import Load
from chaos.sending.stack import Stack

BACKLOG_S = 1.0
ONE_IN = 20
HANGS_S = 30.0
STORMS = 3
STORM_REFUSALS = 40
UNTIDY = {"webhook_copies": 0.3, "webhook_delay_ms": [0, 6000], "webhook_batch": 50, "webhook_batch_ms": 300}
TIDY = {"webhook_copies": 0, "webhook_delay_ms": [0, 0], "webhook_batch": 1}


def one_in_twenty(*outcomes: dict[str, Any]) -> Callable[[Stack, Load], str]:
    """5 % of all calls end so, each outcome as often as the others."""

    def inject(stack: Stack, load: Load) -> str:
        faults = [{"trigger": {"every": ONE_IN * len(outcomes)}, "outcome": outcome} for outcome in outcomes]
        with _faults(stack, *faults) as hits:
            load.wait()
            time.sleep(BACKLOG_S)
        return f"{hits()} calls hit"

    return inject


def untidy_webhooks(stack: Stack, load: Load) -> str:
    """Statuses come late, out of order, several at once, and some twice, while 5 % of the answers are lost."""
    stack.sandbox_call("POST", "settings", UNTIDY)
    try:
        return one_in_twenty({"drop": "after_accept"}, {"drop": "before_accept"})(stack, load)
    finally:
        # What is on its way then goes on coming as untidily.
        stack.sandbox_call("POST", "settings", TIDY)


def hangs(stack: Stack, load: Load) -> str:
    """For 30 s no call is answered, and nothing is taken."""
    time.sleep(2.0)
    with _faults(stack, {"trigger": {"always": True}, "outcome": {"hang": "before_accept"}}) as hits:
        time.sleep(HANGS_S)
    return f"{hits()} calls hung"


def throttles(stack: Stack, load: Load) -> str:
    """Storms of 130429 for the number, and 131056 for one recipient in twenty."""
    pairs = {"trigger": {"every": ONE_IN}, "outcome": {"error": 131056, "status": 400}}
    storm = {"trigger": {"next": STORM_REFUSALS}, "outcome": {"error": 130429, "status": 429}}
    refused = 0
    for _ in range(STORMS):
        time.sleep(2.0)
        with _faults(stack, storm, pairs) as hits:
            time.sleep(2.5)
        refused += hits()
    return f"{refused} calls refused"


@contextmanager
def _faults(stack: Stack, *faults: dict[str, Any]) -> Iterator[Callable[[], int]]:
    """With these faults on the number; gives how many calls they hit, also afterwards."""
    number = stack.env["WA_PHONE_NUMBER_ID"]
    for fault in faults:
        stack.sandbox_call("POST", "faults", {"phone_number_id": number, **fault})
    hits = 0
    try:
        yield lambda: hits
    finally:
        hits = sum(fault["hits"] for fault in stack.sandbox_call("GET", "faults")["faults"])
        stack.sandbox_call("DELETE", "faults")
