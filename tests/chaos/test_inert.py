"""Every scenario with its fault switched off: its own counting, on real processes, must not find enough hits.

Run with `pytest -m chaos`. Scenarios of a kind share their processes here, and wait less.
"""

from collections.abc import Iterator

import pytest

import chaos.sending
from chaos.__main__ import outcome_of
from chaos.receiving import postgres_away, shuffled
from chaos.scenario import Form, Outcome, Scenario, no_harm
from chaos.sending import meta_faults, migration_faults, process_faults, sqs_faults
from chaos.sending import trial as sending_trial
from chaos.suites import SCENARIOS
from chaos.transport import FAULTS, INERT, faults
from chaos.transport.faults import Inject, Site
from chaos.transport.load import Load
from chaos.transport.rig import Rig
from chaos.transport.trial import LEAST_VISIBILITY_S, malformed_trial
from testkit.pipeline import Pipeline
from waproject.queues import MAX_RECEIVES

pytestmark = pytest.mark.chaos
TRANSPORT: dict[str, Inject] = {
    **{name: inject for name, (inject, _, _) in FAULTS.items()},
    "malformed": malformed_trial("counting").inject,
}
RECEIVING = {"receiving.postgres_away": postgres_away.inject, "receiving.shuffled": shuffled.inject}
SENDING = [scenario for scenario in SCENARIOS if scenario in chaos.sending.SCENARIOS]
FORMS = {scenario.name: scenario.inert for scenario in SCENARIOS}
SHORT_S = 0.2


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    """Waits for what never comes here are short."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in {
            faults: ("FIRST_S", "AT_WORK_S", "CHILD_EVERY_S"),
            process_faults: ("FIRST_S", "IN_FLIGHT_S"),
            migration_faults: ("FIRST_S",),
            sqs_faults: ("FIRST_S", "BACKLOG_S"),
            meta_faults: ("FIRST_S", "BACKLOG_S", "STORM_S"),
        }.items():
            for name in names:
                patch.setattr(module, name, SHORT_S)
        yield


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig("counting", LEAST_VISIBILITY_S, MAX_RECEIVES) as running:
        yield running


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending_trial, "PROCESSES", {**sending_trial.PROCESSES, "analytics": 1})
        yield sending_trial._shared.get()
        sending_trial._shared.end()


@pytest.mark.parametrize("name", TRANSPORT)
def test_a_fault_of_the_transport_that_never_hit_is_noticed(rig: Rig, name: str) -> None:
    load = Load(rig.client, rig.url, INERT.messages, SHORT_S)
    load.start()
    try:
        injected = TRANSPORT[name](Site(rig, load, 1.0, no_harm))
        load.wait()
    finally:
        load.stop()
    outcome = Outcome(0, 0, 0, len(load.accepted), injected.hits, injected.remark)
    assert noticed(outcome, FORMS[f"transport.counting.{name}"]), outcome


@pytest.mark.parametrize("scenario", SENDING, ids=lambda scenario: scenario.name)
@pytest.mark.usefixtures("pipeline")
def test_a_fault_of_the_outgoing_lane_that_never_hit_is_noticed(scenario: Scenario) -> None:
    outcome = outcome_of(scenario, scenario.inert, no_harm)
    assert noticed(outcome, scenario.inert), outcome


@pytest.mark.parametrize("name", RECEIVING)
def test_a_fault_of_the_receiving_lanes_that_never_hit_is_noticed(pipeline: Pipeline, name: str) -> None:
    pipeline.forget()
    outcome = RECEIVING[name](pipeline, FORMS[name], no_harm)
    assert noticed(outcome, FORMS[name]), outcome


def test_the_tables_have_every_scenario() -> None:
    tables = {f"transport.{server}.{name}" for server in ("counting", "ministack") for name in TRANSPORT}
    assert tables | {scenario.name for scenario in SENDING} | set(RECEIVING) == set(FORMS)


def noticed(outcome: Outcome, form: Form) -> bool:
    """Whether all was accepted and done once, and only the hits are missing."""
    return outcome.kept(form) and not outcome.hit(form)
