"""Faults on the outgoing lane: every accepted message is sent once, or its failure is known."""

from chaos.scenario import Form, Scenario
from chaos.sending import meta_faults, migration_faults, process_faults, sqs_faults
from chaos.sending.trial import Inject, Trial

FULL, SHORT, INERT = 1000, 100, 20
INERT_S = 1.0


def _scenario(
    name: str,
    inject: Inject,
    hits: tuple[int, int],
    *,
    load_s: float = 14.0,
    short_load_s: float = 5.0,
    fault_s: float = 0.0,
) -> Scenario:
    """`hits`: what the full and the short form need. The short load lasts as long as what is injected meanwhile."""
    full, short = hits
    return Scenario(
        f"sending.{name}",
        Form(FULL, full, load_s, fault_s),
        Form(SHORT, short, short_load_s, fault_s),
        Form(INERT, short, INERT_S, min(fault_s, INERT_S)),
        Trial(inject).run,
    )


SCENARIOS: tuple[Scenario, ...] = (
    _scenario("kill_worker", process_faults.kill_worker, (4, 4), load_s=20.0, short_load_s=20.0),
    _scenario("kill_dispatcher", process_faults.kill_dispatcher, (4, 4), short_load_s=10.0),
    _scenario("kill_web", process_faults.kill_web, (2, 2), short_load_s=8.0),
    _scenario("kill_postgres", process_faults.kill_postgres, (2, 2), short_load_s=8.0),
    _scenario("rolling_restart", process_faults.rolling_restart, (6, 6), load_s=30.0, short_load_s=30.0),
    _scenario("kill_migration", migration_faults.kill_migration, (3, 3), load_s=20.0, short_load_s=20.0),
    _scenario("sqs_away", sqs_faults.sqs_away, (15, 15), load_s=24.0, short_load_s=24.0, fault_s=20.0),
    _scenario("sqs_loses", sqs_faults.sqs_loses, (3, 3), short_load_s=11.0, fault_s=sqs_faults.NOTICED_S),
    _scenario("sqs_doubles", sqs_faults.sqs_doubles, (100, 10)),
    _scenario("meta_hangs_after_accept", meta_faults.one_in_twenty({"hang": "after_accept"}), (25, 3)),
    _scenario("meta_500_after_accept", meta_faults.one_in_twenty({"status": 500, "after_accept": True}), (25, 3)),
    _scenario("meta_drops_after_accept", meta_faults.one_in_twenty({"drop": "after_accept"}), (25, 3)),
    _scenario(
        "meta_refuses_before_accept",
        meta_faults.one_in_twenty(
            {"drop": "before_accept"}, {"error": 131000, "status": 500}, {"error": 131000, "status": 400}
        ),
        (25, 3),
    ),
    _scenario("meta_untidy_webhooks", meta_faults.untidy_webhooks, (25, 3)),
    _scenario("meta_hangs", meta_faults.hangs, (10, 10), load_s=20.0, fault_s=30.0),
    _scenario("meta_throttles", meta_faults.throttles, (30, 10), short_load_s=10.0),
)
