"""What became of the messages of a scenario: the sandbox's ledger says what went out, the database what we know."""

import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import psycopg2

from chaos.scenario import Outcome
from chaos.sending.stack import GRACE_S, Stack

# Not final yet. `accepted` and all that follows is Meta's word that it has the message.
OPEN = ("pending", "queued", "sending", "unknown")
SETTLE_S = GRACE_S + 60
LAST_S = 25.0


def wait_settled(stack: Stack, asked_before: datetime, timeout: float) -> bool:
    """Whether every message that was accepted before that moment became final in time."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        with suppress(psycopg2.OperationalError):
            if not _open(stack, asked_before):
                return True
        time.sleep(0.25)
    return False


def verdict(stack: Stack, accepted: Collection[str], remark: str) -> Outcome:
    """Hold what was accepted from clients against the ledger and the rows."""
    sends = Counter(entry["to"] for entry in stack.sandbox_call("GET", "ledger")["messages"])
    rows = dict(stack.query("SELECT peer, status FROM messaging_message WHERE direction = 'outbound'"))
    lost, doubled, unsettled = compare(accepted, sends, rows)
    return Outcome(lost, doubled, unsettled, "; ".join(filter(None, (remark, *_remarks(stack)))))


def compare(accepted: Collection[str], sends: Mapping[str, int], rows: Mapping[str, str]) -> tuple[int, int, int]:
    """Lost, doubled, unsettled: by recipient, each of whom was written to once.

    `sends`: how often the ledger has each; `rows`: the status of each one's message. Nothing that scenarios inject
    justifies giving a message up, so a failed one counts as lost. A request that was never answered 202 may be stored
    all the same: then its message must not be sent twice, nor stay open.
    """
    unsettled = {to for to, status in rows.items() if status in OPEN}
    lost = {to for to in accepted if to not in rows or (not sends.get(to) and to not in unsettled)}
    failed = {to for to, status in rows.items() if status == "failed"}
    doubled = [to for to, times in sends.items() if times > 1]
    return len(lost | failed), len(doubled), len(unsettled)


def now() -> datetime:
    """The database's clock is this machine's."""
    return datetime.now(UTC)


def _open(stack: Stack, asked_before: datetime) -> int:
    ((count,),) = stack.query(
        "SELECT count(*) FROM messaging_message WHERE direction = 'outbound' AND created_at < %s AND status = ANY(%s)",
        [asked_before, list(OPEN)],
    )
    return int(count)


def _remarks(stack: Stack) -> list[str]:
    found = stack.query(
        """
        SELECT count(*) FILTER (WHERE status = 'unknown'),
          count(*) FILTER (WHERE status = 'pending' AND source = 'dispatcher' AND error_title <> ''),
          count(*) FILTER (WHERE status = 'pending' AND source = 'worker')
        FROM messaging_messageevent WHERE applied
        """
    )
    unknown, again, refused = found[0]
    remarks = [f"{unknown} answers lost, {again} sent again"] if unknown else []
    remarks += [f"{refused} put off"] if refused else []
    failed = stack.query(
        "SELECT error_title, count(*) FROM messaging_message WHERE status = 'failed' AND direction = 'outbound'"
        " GROUP BY error_title ORDER BY error_title"
    )
    return remarks + [f"{count} failed: {title}" for title, count in failed]
