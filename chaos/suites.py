"""Every scenario, in the order in which ``make chaos`` runs them."""

from chaos import receiving, sending, transport
from chaos.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (*transport.SCENARIOS, *sending.SCENARIOS, *receiving.SCENARIOS)
