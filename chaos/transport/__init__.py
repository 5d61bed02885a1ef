"""Faults between workers and SQS: every task is carried out, and none is lost."""

from chaos.faulty_sqs import Fault
from chaos.scenario import Scenario
from chaos.transport import faults
from chaos.transport.servers import SERVERS
from chaos.transport.trial import FULL, SHORT, malformed_trial, trial

FAULTS: dict[str, faults.Inject] = {
    "restarts": faults.restarts,
    "kill_worker": faults.kills,
    "kill_child": faults.child_kills,
    "sqs_503": faults.answers(Fault.UNAVAILABLE),
    "sqs_refuses": faults.refuses,
    "sqs_expired": faults.answers(Fault.EXPIRED),
    "sqs_throttles": faults.throughout(Fault.THROTTLED, faults.THROTTLED_ONE_IN),
    "entries_fail": faults.throughout(Fault.ENTRIES_FAIL, faults.ONE_IN),
    "stale_handles": faults.throughout(Fault.STALE, faults.ONE_IN),
}


def _scenarios(server: str) -> tuple[Scenario, ...]:
    runs = {name: trial(server, inject) for name, inject in FAULTS.items()}
    runs["malformed"] = malformed_trial(server)
    return tuple(Scenario(f"transport.{server}.{name}", FULL, SHORT, run) for name, run in runs.items())


SCENARIOS: tuple[Scenario, ...] = tuple(scenario for server in SERVERS for scenario in _scenarios(server))
