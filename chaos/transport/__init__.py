"""Faults between workers and SQS: every task is carried out, and none is lost."""

from chaos.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
