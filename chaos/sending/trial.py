"""One sending scenario: clients send, a fault is injected, everything settles, and the ledger is the witness."""

import atexit
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg2

from chaos.scenario import Form, Harm, Injected, Outcome
from testkit.load.api_clients import ClientLoad
from testkit.load.witness import OPEN, compare
from testkit.pipeline import Pipeline

PROCESSES = {"web": 1, "dispatcher": 2, "outgoing": 2, "incoming": 1}
# Seconds until a lost answer may be judged; ten minutes in production.
GRACE_S = 15.0
# The time to settle for messages accepted until the fault's end, and then for those of the slow clients meanwhile.
SETTLE_S = GRACE_S + 60
LAST_S = 25.0


@dataclass(frozen=True, slots=True)
class Site:
    """The target of a fault, and its duration if it has one."""

    pipeline: Pipeline
    load: ClientLoad
    seconds: float
    harm: Harm


# Called once the clients have started; must end the fault.
Inject = Callable[[Site], Injected]


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault under load."""

    inject: Inject

    def run(self, form: Form, harm: Harm) -> Outcome:
        """Run the scenario. If it does not hold, its processes are not reused, and its logs are kept."""
        try:
            pipeline = _shared.get()
            outcome = self._run(pipeline, form, harm)
            if outcome.kept(form):
                pipeline.forget()
        except Exception as error:
            error.add_note(f"logs: {_shared.end(keep=True)}")
            raise
        except BaseException:
            _shared.end()
            raise
        if outcome.kept(form):
            return outcome
        return replace(outcome, detail=f"{outcome.detail}; logs: {_shared.end(keep=True)}")

    def _run(self, pipeline: Pipeline, form: Form, harm: Harm) -> Outcome:
        load = ClientLoad(pipeline.env["BASE_URL"], pipeline.env["API_KEY"], form.messages, form.load_s)
        load.start()
        try:
            injected = self.inject(Site(pipeline, load, form.fault_s, harm))
            load.wait()
            _wait_settled(pipeline, SETTLE_S)
        finally:
            load.stop()
        _wait_settled(pipeline, LAST_S)
        rows = dict(pipeline.query("SELECT peer, status FROM messaging_message WHERE direction = 'outbound'"))
        verdict = compare(load.accepted, pipeline.sandbox.sends(), rows)
        detail = "; ".join(filter(None, (injected.remark, *_remarks(pipeline))))
        counts = (verdict.lost, verdict.doubled, verdict.unsettled)
        return Outcome(*counts, len(load.accepted), injected.hits, detail)


class _Shared:
    """A pipeline that scenarios share while they hold, since its start takes longer than most of them."""

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None
        self._stack = ExitStack()

    def get(self) -> Pipeline:
        """The pipeline, without messages."""
        if self._pipeline is None:
            settings = {"WA_UNKNOWN_GRACE": str(GRACE_S), "LOG_LEVEL": "INFO"}
            self._pipeline = self._stack.enter_context(Pipeline(PROCESSES, settings))
        return self._pipeline

    def end(self, keep: bool = False) -> str:
        """Stop the pipeline. Returns the directory of its logs, which `keep` keeps."""
        if self._pipeline is None:
            return "none"
        pipeline, self._pipeline = self._pipeline, None
        pipeline.keep_logs = keep
        self._stack.close()
        return str(pipeline.directory)


_shared = _Shared()
atexit.register(_shared.end)


def _wait_settled(pipeline: Pipeline, timeout: float) -> None:
    """Wait until every message accepted before now is final, at most `timeout` seconds."""
    # The database's clock is this machine's.
    asked_before, until = datetime.now(UTC), time.monotonic() + timeout
    statement = (
        "SELECT count(*) FROM messaging_message WHERE direction = 'outbound' AND created_at < %s AND status = ANY(%s)"
    )
    while time.monotonic() < until:
        with suppress(psycopg2.OperationalError):
            if not pipeline.number(statement, [asked_before, list(OPEN)]):
                return
        time.sleep(0.25)


def _remarks(pipeline: Pipeline) -> list[str]:
    ((unknown, again, refused),) = pipeline.query(
        """
        SELECT count(*) FILTER (WHERE status = 'unknown'),
          count(*) FILTER (WHERE status = 'pending' AND source = 'dispatcher' AND error_title <> ''),
          count(*) FILTER (WHERE status = 'pending' AND source = 'worker')
        FROM messaging_messageevent WHERE applied
        """
    )
    remarks = [f"{unknown} answers lost, {again} sent again"] if unknown else []
    remarks += [f"{refused} put off"] if refused else []
    failed = pipeline.query(
        "SELECT error_title, count(*) FROM messaging_message WHERE status = 'failed' AND direction = 'outbound'"
        " GROUP BY error_title ORDER BY error_title"
    )
    return remarks + [f"{count} failed: {title}" for title, count in failed]
