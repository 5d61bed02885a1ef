"""Shuffled updates, some of them twice, in large webhooks: the result is the same as once and in order."""

import random
import time
from collections.abc import Sequence

from chaos.scenario import Form, Harm, Outcome
from testkit.load.webhooks import Update, WebhookSender, echo, inbound, status
from testkit.pipeline import Pipeline

# Updates of each of our messages: its echo, delivered and read, and an answer to it.
EACH = 4
# Meta's largest webhook.
IN_ONE = 1000
# Nothing has moved for so long: the rest never will. A busy machine takes minutes for all of it.
STALLED_S = 60.0
AGE_S = 600
READ = "SELECT count(*) FROM messaging_message WHERE origin = 'echo' AND status = 'read'"
RECEIVED = "SELECT count(*) FROM messaging_message WHERE origin = 'user'"
ROWS = "SELECT count(*) FROM messaging_message"
ORPHANS = "SELECT count(*) FROM messaging_orphanstatus"
TRAIL = "SELECT count(*) - count(DISTINCT (message_id, status)) FROM messaging_messageevent WHERE applied"


def inject(pipeline: Pipeline, form: Form, harm: Harm) -> Outcome:
    """Post `form.messages` different updates, each twice and shuffled; without the fault once and in order."""
    number = form.messages // EACH
    updates = _updates(number, int(time.time()) - AGE_S)
    different = len(updates)
    harm(updates.extend, list(updates))
    harm(random.Random(number).shuffle, updates)  # noqa: S311 - the same order each time
    sender = WebhookSender(pipeline.env)
    for begin in range(0, len(updates), IN_ONE):
        sender.post(updates[begin : begin + IN_ONE])
    _wait_settled(pipeline, 2 * number)
    read, received, rows = (pipeline.number(statement) for statement in (READ, RECEIVED, ROWS))
    doubled = max(0, rows - 2 * number) + pipeline.number(TRAIL)
    missing = max(0, 2 * number - rows)
    unsettled = 2 * number - read - received - missing
    remark = f"{len(updates)} updates of {2 * number} messages; {pipeline.number(ORPHANS)} statuses without a message"
    return Outcome(missing, doubled, unsettled, different, disorder(updates), remark)


def _wait_settled(pipeline: Pipeline, number: int) -> None:
    """Wait until this many messages are read or received, as long as any still becomes so."""
    seen, until = 0, time.monotonic() + STALLED_S
    while seen < number and time.monotonic() < until:
        time.sleep(0.5)
        settled = pipeline.number(READ) + pipeline.number(RECEIVED)
        if settled > seen:
            seen, until = settled, time.monotonic() + STALLED_S


def disorder(updates: Sequence[Update]) -> int:
    """The number of updates that repeat an earlier one or, as a first status, precede their message."""
    seen: set[tuple[object, object]] = set()
    found = 0
    for key, update in updates:
        this = (update["id"], update.get("status"))
        found += this in seen or (key == "statuses" and (update["id"], None) not in seen)
        seen.add(this)
    return found


def _updates(number: int, at: int) -> list[Update]:
    updates: list[Update] = []
    for n in range(number):
        user, wamid = f"1555{3_000_000 + n}", f"wamid.out{n}"
        updates.append(echo(user, wamid, at))
        updates += [status(user, wamid, state, at + 1 + step) for step, state in enumerate(("delivered", "read"))]
        updates.append(inbound(user, f"wamid.in{n}", at + 3))
    return updates
