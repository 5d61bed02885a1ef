"""One scenario: tasks are published while something breaks, and then each has to have run."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chaos.processes import NotReady
from chaos.scenario import Outcome
from chaos.transport import malformed
from chaos.transport.load import Load
from chaos.transport.rig import Rig
from chaos.transport.witness import compare, done_again, executions
from waproject.queues import MAX_RECEIVES

FULL, SHORT = 10_000, 1_000
# Bodies of each malformed kind, for so many tasks one.
MALFORMED_ONE_IN = 100
MALFORMED_VISIBILITY_S = 5
MALFORMED_RECEIVES = 2


@dataclass(frozen=True, slots=True)
class Form:
    """Seconds of the full form, and of the short one. The visibility timeout outlasts what breaks, as in production."""

    load_s: float
    fault_s: float
    visibility_s: int


FORMS = {FULL: Form(load_s=40, fault_s=30, visibility_s=60), SHORT: Form(load_s=7, fault_s=5, visibility_s=15)}
SETTLE_S = 60.0


def trial(server: str, inject: Callable[[Rig, Load, float], str]) -> Callable[[int], Outcome]:
    """A scenario's `run`, for tasks that all can be done."""

    def run(messages: int) -> Outcome:
        form = _form(messages)
        with Rig(server, form.visibility_s, MAX_RECEIVES) as rig:
            return _guarded(rig, lambda: _run(rig, messages, form, inject))

    return run


def malformed_trial(server: str) -> Callable[[int], Outcome]:
    """Bodies that are no tasks, between tasks: each of the former is in the DLQ in the end, and unchanged."""

    def inject(rig: Rig, load: Load, seconds: float) -> str:
        kinds = malformed.bodies("chaos.alone")
        wrong = Counter(body for body in kinds.values() for _ in range(load.messages // MALFORMED_ONE_IN))
        for body in wrong.elements():
            rig.sqs.send_message(QueueUrl=rig.url, MessageBody=body)
        load.wait()
        rig.wait_done(SETTLE_S)
        if missing := wrong - Counter(_drained(rig)):
            raise NotReady(f"{missing.total()} of {wrong.total()} malformed messages are not in the DLQ")
        return f"{wrong.total()} of {len(kinds)} kinds in the DLQ"

    def run(messages: int) -> Outcome:
        with Rig(server, MALFORMED_VISIBILITY_S, MALFORMED_RECEIVES) as rig:
            return _guarded(rig, lambda: _run(rig, messages, _form(messages), inject))

    return run


def _form(messages: int) -> Form:
    return FORMS[FULL if messages >= FULL else SHORT]


def _guarded(rig: Rig, run: Callable[[], Outcome]) -> Outcome:
    """Keep the logs where a promise broke."""
    rig.failed = True
    try:
        outcome = run()
    except Exception as error:
        error.add_note(f"logs: {rig.directory}")
        raise
    rig.failed = not outcome.held
    if outcome.held:
        return outcome
    return Outcome(outcome.lost, outcome.doubled, outcome.unsettled, f"{outcome.detail}; logs: {rig.directory}")


def _run(rig: Rig, messages: int, form: Form, inject: Callable[[Rig, Load, float], str]) -> Outcome:
    load = Load(rig.client, rig.url, messages, form.load_s)
    load.start()
    try:
        remark = inject(rig, load, form.fault_s)
        load.wait()
    finally:
        load.stop()
    rig.wait_done(form.visibility_s + SETTLE_S)
    for worker in rig.workers:
        if not worker.is_alive():
            raise NotReady(f"{worker.name} ended by itself")
    ran = executions(rig.witness)
    counts = compare(load.accepted, ran, rig.depth().total, rig.killed, rig.in_flight)
    refused = f"{load.refusals} publications refused" if load.refusals else ""
    again = f"{done_again(ran, rig.killed)} done again of {rig.in_flight} in flight" if rig.killed else ""
    return Outcome(*counts, "; ".join(filter(None, (remark, again, refused))))


def _drained(rig: Rig) -> Iterator[str]:
    """The bodies in the DLQ."""
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        messages = rig.sqs.receive_message(QueueUrl=rig.dlq_url, MaxNumberOfMessages=10).get("Messages")
        if not messages:
            return
        yield from (message["Body"] for message in messages)
