"""Faults on the outgoing lane: every accepted message is sent once, or its failure is known."""

from chaos.scenario import Scenario
from chaos.sending import process_faults, sqs_faults
from chaos.sending.trial import Trial

TRIALS = {
    "kill_worker": Trial(process_faults.kill_worker),
    "kill_dispatcher": Trial(process_faults.kill_dispatcher),
    "kill_web": Trial(process_faults.kill_web),
    "kill_postgres": Trial(process_faults.kill_postgres),
    "rolling_restart": Trial(process_faults.rolling_restart, load_s=30.0),
    "sqs_away": Trial(sqs_faults.sqs_away, load_s=24.0),
    "sqs_loses": Trial(sqs_faults.sqs_loses),
    "sqs_doubles": Trial(sqs_faults.sqs_doubles),
}

SCENARIOS: tuple[Scenario, ...] = tuple(
    Scenario(f"sending.{name}", 1000, 100, trial.run) for name, trial in TRIALS.items()
)
