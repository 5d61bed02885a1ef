"""Faults of SQS: it is unreachable, loses messages, delivers every message twice."""

import time

from chaos.scenario import Injected
from chaos.sending.trial import Site
from deploy.local.ports import is_open
from testkit.waiting import eventually

FIRST_S = 1.5
BACKLOG_S = 1.0
LOSES_S = 2.0
LOSSES = 3
# The dispatcher misses a lost task after 15 s, then 30 s, and looks every 5 s.
NOTICED_S = 50.0


def sqs_away(site: Site) -> Injected:
    """SQS refuses connections. A hit is a second in which it refused one of ours."""
    time.sleep(FIRST_S)
    site.harm(site.pipeline.sqs.away, site.seconds)
    refused = 0
    for _ in range(round(site.seconds)):
        time.sleep(1.0)
        refused += not is_open(site.pipeline.sqs.port)
    eventually(lambda: is_open(site.pipeline.sqs.port))
    return Injected(refused, f"away for {refused} s")


def sqs_loses(site: Site) -> Injected:
    """SQS drops every outgoing task for 2 s, three times, each once the lane works again. A hit is a lost task.

    A lost task holds up its recipients and the pace of its number until the dispatcher misses it.
    """
    before = _lost(site)
    for _ in range(LOSSES):
        time.sleep(FIRST_S)
        at = _lost(site)
        site.harm(site.pipeline.sqs.lose, "outgoing")
        lost = eventually(lambda at=at: _lost(site) > at, site.seconds)  # type: ignore[misc]
        time.sleep(LOSES_S if lost else 0)
        site.pipeline.sqs.lose("")
    return Injected(_lost(site) - before, f"in {LOSSES} losses")


def sqs_doubles(site: Site) -> Injected:
    """Every message on every queue comes twice. A hit is a doubled message."""
    before = _doubled(site)
    site.harm(site.pipeline.sqs.double, True)
    site.load.wait()
    time.sleep(BACKLOG_S)
    site.pipeline.sqs.double(False)
    return Injected(_doubled(site) - before)


def _lost(site: Site) -> int:
    return int(site.pipeline.sqs.counts()["lost"])


def _doubled(site: Site) -> int:
    return int(site.pipeline.sqs.counts()["doubled"])
