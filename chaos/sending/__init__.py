"""Faults on the outgoing lane: every accepted message is sent once, or its failure is known."""

from chaos.scenario import Scenario
from chaos.sending import meta_faults, process_faults, sqs_faults
from chaos.sending.trial import FULL, SHORT, Trial

TRIALS = {
    "kill_worker": Trial(process_faults.kill_worker, load_s=20.0, short_load_s=20.0),
    "kill_dispatcher": Trial(process_faults.kill_dispatcher, short_load_s=10.0),
    "kill_web": Trial(process_faults.kill_web, short_load_s=8.0),
    "kill_postgres": Trial(process_faults.kill_postgres, short_load_s=8.0),
    "rolling_restart": Trial(process_faults.rolling_restart, load_s=30.0, short_load_s=30.0),
    "sqs_away": Trial(sqs_faults.sqs_away, load_s=24.0, short_load_s=24.0),
    "sqs_loses": Trial(sqs_faults.sqs_loses, short_load_s=11.0),
    "sqs_doubles": Trial(sqs_faults.sqs_doubles),
    "meta_hangs_after_accept": Trial(meta_faults.one_in_twenty({"hang": "after_accept"})),
    "meta_500_after_accept": Trial(meta_faults.one_in_twenty({"status": 500, "after_accept": True})),
    "meta_drops_after_accept": Trial(meta_faults.one_in_twenty({"drop": "after_accept"})),
    "meta_refuses_before_accept": Trial(
        meta_faults.one_in_twenty(
            {"drop": "before_accept"}, {"error": 131000, "status": 500}, {"error": 131000, "status": 400}
        )
    ),
    "meta_untidy_webhooks": Trial(meta_faults.untidy_webhooks),
    "meta_hangs": Trial(meta_faults.hangs, load_s=20.0),
    "meta_throttles": Trial(meta_faults.throttles, short_load_s=10.0),
}

SCENARIOS: tuple[Scenario, ...] = tuple(
    Scenario(f"sending.{name}", FULL, SHORT, trial.run) for name, trial in TRIALS.items()
)
