"""Faults on the outgoing lane: every accepted message is sent once, or its failure is known."""

from chaos.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
