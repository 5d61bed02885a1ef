"""Faults between workers and SQS: every task is carried out once, and none is lost."""

from dataclasses import replace

from chaos.scenario import Form, Scenario
from chaos.transport import faults, malformed
from chaos.transport.servers import SERVERS
from chaos.transport.trial import MALFORMED_ONE_IN, Trial, malformed_trial
from testkit.sqs_proxy import Fault

FULL = Form(10_000, 0, load_s=40.0, fault_s=30.0)
SHORT = Form(1_000, 0, load_s=7.0, fault_s=5.0)
INERT = Form(100, 0, load_s=1.5, fault_s=1.0)

# Each with the hits that the full and the short form need at least, about half of what a busy machine gets.
FAULTS: dict[str, tuple[faults.Inject, int, int]] = {
    "restarts": (faults.restarts, 4, 2),
    "kill_worker": (faults.kill_workers, 4, 1),
    "kill_child": (faults.kill_children, 20, 3),
    "sqs_503": (faults.answers(Fault.UNAVAILABLE), 30, 5),
    "sqs_refuses": (faults.refuses, 10, 3),
    "sqs_expired": (faults.answers(Fault.EXPIRED), 30, 5),
    "sqs_throttles": (faults.throughout(Fault.THROTTLED, faults.THROTTLED_ONE_IN), 300, 30),
    "entries_fail": (faults.throughout(Fault.ENTRIES_FAIL, faults.ONE_IN), 250, 25),
    "stale_handles": (faults.throughout(Fault.STALE, faults.ONE_IN), 250, 25),
}


def _scenario(name: str, trial: Trial, full: int, short: int) -> Scenario:
    return Scenario(
        f"transport.{name}",
        replace(FULL, least_hits=full),
        replace(SHORT, least_hits=short),
        replace(INERT, least_hits=short),
        trial.run,
    )


def _malformed(server: str) -> Scenario:
    # Each malformed body has to be found in the dead-letter queue.
    full, short = (malformed.count(form.messages // MALFORMED_ONE_IN) for form in (FULL, SHORT))
    return _scenario(f"{server}.malformed", malformed_trial(server), full, short)


def _scenarios(server: str) -> tuple[Scenario, ...]:
    injected = (
        _scenario(f"{server}.{name}", Trial(server, inject), full, short)
        for name, (inject, full, short) in FAULTS.items()
    )
    return (*injected, _malformed(server))


SCENARIOS: tuple[Scenario, ...] = tuple(scenario for server in SERVERS for scenario in _scenarios(server))
