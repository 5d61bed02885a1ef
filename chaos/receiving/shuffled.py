"""Every update twice and in any order, in large webhooks: the same end as in order and once."""

import random
import time
from contextlib import suppress
from typing import Any

from chaos.processes import NotReady, wait_until
from chaos.receiving.pipeline import count, with_pipeline
from chaos.receiving.webhooks import Meta, echo, inbound, status
from chaos.scenario import Outcome
from chaos.sending.stack import Stack

# Updates. Of each message of ours its echo, delivered and read, and an answer to it; each of these twice.
FULL, SHORT = 100_000, 4_000
EACH = 4
TIMES = 2
# Meta's largest webhook.
IN_ONE = 1000
SETTLE_S = 120.0
READ = "SELECT count(*) FROM messaging_message WHERE origin = 'echo' AND status = 'read'"
RECEIVED = "SELECT count(*) FROM messaging_message WHERE origin = 'user'"
ROWS = "SELECT count(*) FROM messaging_message"
TRAIL = """
SELECT count(*) - count(DISTINCT (message_id, status)) FROM messaging_messageevent WHERE applied
"""


def run(messages: int) -> Outcome:
    """`messages` updates in all."""
    return with_pipeline(lambda stack: _run(stack, messages // (EACH * TIMES)))


def _run(stack: Stack, number: int) -> Outcome:
    updates = _updates(number, int(time.time()) - 600) * TIMES
    random.Random(number).shuffle(updates)  # noqa: S311 - the same each time
    meta = Meta(stack.env)
    for begin in range(0, len(updates), IN_ONE):
        meta.post(updates[begin : begin + IN_ONE])
    with suppress(NotReady):
        wait_until(lambda: _done(stack, number), "all is stored and applied", SETTLE_S, 0.5)
    read, received, rows = (count(stack, one) for one in (READ, RECEIVED, ROWS))
    orphans = count(stack, "SELECT count(*) FROM messaging_orphanstatus")
    twice = count(stack, TRAIL)
    remark = f"{len(updates)} updates of {2 * number} messages; {orphans} statuses without a message"
    missing = max(0, 2 * number - rows)
    return Outcome(missing, max(0, rows - 2 * number) + twice, 2 * number - read - received - missing, remark)


def _done(stack: Stack, number: int) -> bool:
    return count(stack, READ) >= number and count(stack, RECEIVED) >= number


def _updates(number: int, at: int) -> list[tuple[str, dict[str, Any]]]:
    updates: list[tuple[str, dict[str, Any]]] = []
    for n in range(number):
        updates.append(("message_echoes", echo(n, at)))
        updates += [("statuses", status(n, state, at + 1 + step)) for step, state in enumerate(("delivered", "read"))]
        updates.append(("messages", inbound(n, at + 3)))
    return updates
