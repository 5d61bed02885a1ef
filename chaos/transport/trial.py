"""One transport scenario: tasks are published during a fault, and each must run once."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from chaos.scenario import Form, Harm, Injected, Outcome
from chaos.transport import malformed
from chaos.transport.faults import Inject, Site
from chaos.transport.load import Load
from chaos.transport.rig import Rig
from chaos.transport.witness import compare, done_again, executions
from testkit.waiting import NotReady
from waproject.queues import MAX_RECEIVES

# Malformed bodies of each kind: one for this many tasks.
MALFORMED_ONE_IN = 100
MALFORMED_VISIBILITY_S = 5
MALFORMED_RECEIVES = 2
# The visibility timeout outlasts every fault, as it does in production.
LEAST_VISIBILITY_S = 15
SETTLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault and the SQS server it is tried against. `visibility_s`: None for one that fits the form."""

    server: str
    inject: Inject
    visibility_s: int | None = None
    max_receives: int = MAX_RECEIVES

    def run(self, form: Form, harm: Harm) -> Outcome:
        """Run the scenario. Keeps the logs if it broke its promise."""
        visibility_s = self.visibility_s or max(LEAST_VISIBILITY_S, int(2 * form.fault_s))
        with Rig(self.server, visibility_s, self.max_receives) as rig:
            rig.failed = True
            try:
                outcome = self._run(rig, form, harm, visibility_s)
            except Exception as error:
                error.add_note(f"logs: {rig.directory}")
                raise
            rig.failed = not outcome.kept(form)
        return replace(outcome, detail=f"{outcome.detail}; logs: {rig.directory}") if rig.failed else outcome

    def _run(self, rig: Rig, form: Form, harm: Harm, visibility_s: int) -> Outcome:
        load = Load(rig.client, rig.url, form.messages, form.load_s)
        load.start()
        try:
            injected = self.inject(Site(rig, load, form.fault_s, harm))
            load.wait()
        finally:
            load.stop()
        rig.wait_done(visibility_s + SETTLE_S)
        for worker in rig.workers:
            if not worker.is_alive():
                raise NotReady(f"{worker.name} ended by itself")
        ran = executions(rig.witness)
        lost, doubled, unsettled = compare(load.accepted, ran, rig.depth().total, rig.killed, rig.in_flight)
        refused = f"{load.refusals} publications refused" if load.refusals else ""
        again = f"{done_again(ran, rig.killed)} done again of {rig.in_flight} in flight" if rig.killed else ""
        detail = "; ".join(filter(None, (injected.remark, again, refused)))
        return Outcome(lost, doubled, unsettled, len(load.accepted), injected.hits, detail)


def malformed_trial(server: str) -> Trial:
    """Bodies that are no tasks, between tasks. A hit is one that reached the dead-letter queue unchanged."""
    return Trial(server, _publish_malformed, MALFORMED_VISIBILITY_S, MALFORMED_RECEIVES)


def _publish_malformed(site: Site) -> Injected:
    kinds = malformed.bodies("chaos.alone")
    wrong = Counter(body for body in kinds.values() for _ in range(site.load.messages // MALFORMED_ONE_IN))
    for body in wrong.elements():
        site.harm(_send, site.rig, body)
    site.load.wait()
    site.rig.wait_done(SETTLE_S)
    found = wrong & Counter(_drained(site.rig))
    return Injected(found.total(), f"{found.total()} of {wrong.total()} in the DLQ, {len(kinds)} kinds")


def _send(rig: Rig, body: str) -> None:
    rig.sqs.send_message(QueueUrl=rig.url, MessageBody=body)


def _drained(rig: Rig) -> Iterator[str]:
    """The bodies in the dead-letter queue."""
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        messages = rig.sqs.receive_message(QueueUrl=rig.dlq_url, MaxNumberOfMessages=10).get("Messages")
        if not messages:
            return
        yield from (message["Body"] for message in messages)
