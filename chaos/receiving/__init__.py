"""Faults on the lanes that take updates and events in: everything is stored once, and nothing is dropped."""

from chaos.receiving import postgres_away, shuffled
from chaos.receiving.trial import Trial
from chaos.scenario import Form, Scenario

# Messages of `postgres_away`: webhooks and events, half each; hits: of them, those that came while it was away.
# Messages of `shuffled`: different updates; hits: repeated ones, and statuses that came before their message.
SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "receiving.postgres_away",
        full=Form(2000, 1000, load_s=62.0, fault_s=60.0),
        short=Form(400, 200, load_s=12.0, fault_s=10.0),
        inert=Form(40, 20, load_s=2.0, fault_s=1.0),
        run=Trial(postgres_away.inject).run,
    ),
    Scenario(
        "receiving.shuffled",
        full=Form(50_000, 60_000, load_s=0.0),
        short=Form(2_000, 2_400, load_s=0.0),
        inert=Form(200, 240, load_s=0.0),
        run=Trial(shuffled.inject).run,
    ),
)
