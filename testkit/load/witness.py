"""The verdict on accepted messages: the ledger says what was sent, the database what the pipeline believes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

# States that are not final. From `accepted` on, Meta has confirmed that it has the message.
OPEN = ("pending", "queued", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of messages, each to a recipient of its own."""

    lost: int
    doubled: int
    unsettled: int


def compare(accepted: Collection[str], sends: Mapping[str, int], rows: Mapping[str, str]) -> Verdict:
    """Compare the messages that the API accepted with the ledger and the stored rows, by recipient.

    sends: sends per recipient in the ledger; rows: the status of each recipient's message. A failed message counts as
    lost, since no injected fault justifies a failure. A request that was never answered 202 may still be stored; its
    message must neither be sent twice nor stay open.
    """
    unsettled = {to for to, status in rows.items() if status in OPEN}
    lost = {to for to in accepted if to not in rows or (not sends.get(to) and to not in unsettled)}
    failed = {to for to, status in rows.items() if status == "failed"}
    doubled = [to for to, times in sends.items() if times > 1]
    return Verdict(len(lost | failed), len(doubled), len(unsettled))
