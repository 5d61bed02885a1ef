"""Faults on the lanes that bring updates and events in: everything is stored once, and nothing is given up."""

from chaos.receiving import postgres_away, shuffled
from chaos.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("receiving.postgres_away", 1000, 200, postgres_away.run),
    Scenario("receiving.shuffled", shuffled.FULL, shuffled.SHORT, shuffled.run),
)
