"""The report of a load test: latencies, errors, and what ledger and installation say of each message."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any, TypeVar

from testkit.load.http_load import Answers
from testkit.load.sandbox import Sandbox
from testkit.load.witness import Verdict, compare
from testkit.loadtest.installation import Installation, Refused, clock_offset
from testkit.loadtest.run import ACCEPTED, TAKEN, Load, errors
from testkit.statistics import BEYOND, percentile

T = TypeVar("T")
LOOK_AGAIN_S = 1.0
# Rows are found by the installation's clock, which may be behind ours.
CLOCKS_S = 300
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Stored:
    """Webhooks that were answered 200: not stored, stored twice."""

    lost: int
    doubled: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What the ledger and the installation know of a load. Latencies: send due to call received, in milliseconds."""

    verdict: Verdict
    stored: Stored
    sent: int
    statuses: dict[str, int]
    to_cloud_api: list[float]


class Witness:
    """Made before the load, so that it tells its entries in the ledger from those of others."""

    def __init__(self, installation: Installation, sandbox: Sandbox) -> None:
        self._installation, self._sandbox = installation, sandbox
        self._before = of_ledger(sandbox.count)
        self._offset = clock_offset(sandbox)
        self._since = (datetime.now(UTC) - timedelta(seconds=CLOCKS_S)).isoformat()

    def settle(self, load: Load, seconds: float) -> None:
        """Wait until every message is final and every webhook stored, or the time is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            # An installation that is restarted, or a proxy before it, refuses for a moment.
            with suppress(Refused):
                if self._installation.is_settled(load.campaign) and not self._stored(load).lost:
                    return
            time.sleep(LOOK_AGAIN_S)

    def findings(self, load: Load) -> Findings:
        """What is known now. Raises Refused where the installation or the ledger does not say."""
        rows = self._installation.statuses(load.campaign)
        entries = of_ledger(self._sandbox.ledger)
        if len(entries) < self._before:
            raise Refused("the sandbox was reset or restarted during the load, so its ledger proves nothing")
        entries = own_entries(load, entries[self._before :])
        sends = Counter(str(entry["to"]) for entry in entries)
        return Findings(
            compare(load.accepted, sends, rows),
            self._stored(load),
            len(entries),
            dict(Counter(rows.values())),
            _to_cloud_api(load, entries, self._offset),
        )

    def _stored(self, load: Load) -> Stored:
        return stored(load.taken, self._installation.received(self._since))


def of_ledger(asked: Callable[[], T]) -> T:
    """What the ledger answers. Raises Refused where it does not."""
    try:
        return asked()
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise Refused(f"the ledger does not answer: {type(error).__name__}") from None


def own_entries(load: Load, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ledger's entries of recipients to whom a send was begun. Another run may write to those that were left."""
    begun = set(load.recipients[: len(load.sends.statuses)])
    return [entry for entry in entries if entry["to"] in begun]


def stored(taken: Collection[str], found: Mapping[str, int]) -> Stored:
    """Hold the webhooks that were answered 200 against what is stored, both by wamid."""
    return Stored(sum(not found.get(wamid) for wamid in taken), sum(found.get(wamid, 0) > 1 for wamid in taken))


def report(load: Load, findings: Findings | None, about: Mapping[str, Any]) -> dict[str, Any]:
    """The report as JSON; `about` comes first. Without findings nothing is known of lost and doubled."""
    found: dict[str, Any] = {
        **about,
        "interrupted": load.interrupted,
        "campaign": load.campaign,
        "sends": _side(load.sends, ACCEPTED),
        "webhooks": _side(load.webhooks, TAKEN),
    }
    if findings:
        found |= {
            "to_cloud_api": percentiles(findings.to_cloud_api),
            "ledger": {"sent": findings.sent, **asdict(findings.verdict)},
            "stored": asdict(findings.stored),
            "statuses": findings.statuses,
        }
    return found


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """{p50_ms, p95_ms, p99_ms, slowest_ms}, without those that the samples cannot carry; {} of none."""
    ordered = sorted(values)
    if not ordered:
        return {}
    carried = [percent for percent in PERCENTILES if len(ordered) * (100 - percent) >= BEYOND * 100]
    found = {f"p{percent}_ms": round(percentile(ordered, percent), 1) for percent in carried}
    return {**found, "slowest_ms": round(ordered[-1], 1)}


def lines_of(found: Mapping[str, Any]) -> list[str]:
    """The report for people, a line each."""
    lines = []
    for name, title in (("sends", "API sends"), ("webhooks", "webhooks")):
        side = found[name]
        failures = ", ".join(f"{count} of {what}" for what, count in side["errors"].items()) or "none"
        lines.append(f"{title}: {side['good']:,} of {side['requests']:,} taken, {side['per_s']}/s; errors: {failures}")
        lines.append(f"  {_latencies(side['latency'])}")
    if "ledger" not in found:
        return lines
    lines.append(f"send to Cloud API: {_latencies(found['to_cloud_api'])}")
    ledger, rows = found["ledger"], found["stored"]
    lines.append(f"ledger: {ledger['sent']:,} sent, {ledger['lost']} lost, {ledger['doubled']} doubled, "
                 f"{ledger['unsettled']} not settled")  # fmt: skip
    lines.append(f"webhooks stored: {rows['lost']} lost, {rows['doubled']} doubled")
    return lines


def failures(found: Mapping[str, Any]) -> list[str]:
    """Why the load test failed; empty where each message was sent once and each webhook stored once."""
    if "ledger" not in found:
        return ["it is not known what became of the messages"]
    counts = {
        "interruption": int(found["interrupted"]),
        "messages lost": found["ledger"]["lost"],
        "messages doubled": found["ledger"]["doubled"],
        "messages not settled": found["ledger"]["unsettled"],
        "webhooks lost": found["stored"]["lost"],
        "webhooks doubled": found["stored"]["doubled"],
        "requests failed": sum(sum(found[side]["errors"].values()) for side in ("sends", "webhooks")),
    }
    return [f"{count} {what}" for what, count in counts.items() if count]


def _side(answers: Answers, good: int) -> dict[str, Any]:
    count = len(answers.statuses)
    return {
        "requests": count,
        "good": answers.statuses.count(good),
        "errors": errors(answers, good),
        "per_s": round(count / answers.seconds, 1) if answers.seconds else 0.0,
        "latency": percentiles(answers.milliseconds()),
    }


def _to_cloud_api(load: Load, entries: Sequence[Mapping[str, Any]], offset: float) -> list[float]:
    due = dict(zip(load.recipients, load.sends.due, strict=False))
    return [max(0.0, (entry["received_at"] - offset - due[entry["to"]]) * 1000) for entry in entries]


def _latencies(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name.removesuffix('_ms')} {value:g} ms" for name, value in found.items()) or "none measured"
