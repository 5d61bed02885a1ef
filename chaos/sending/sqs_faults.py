"""What SQS may do: be away, lose what it holds, deliver everything twice."""

import time

from chaos.processes import wait_until
from chaos.sending.clients import Load
from chaos.sending.stack import Stack

AWAY_S = 20.0
FIRST_S = 1.5
BACKLOG_S = 1.0
LOSES_S = 2.0
# What was lost is missed after 15 s, then 30 s, and looked for every 5 s.
GOES_ON_S = 50.0


def sqs_away(stack: Stack, load: Load) -> str:
    """SQS refuses connections for 20 s."""
    time.sleep(FIRST_S)
    stack.sqs_control(f"away?s={AWAY_S:.0f}")
    time.sleep(AWAY_S + 1)
    return f"away for {AWAY_S:.0f} s"


def sqs_loses(stack: Stack, load: Load) -> str:
    """Three times SQS forgets every outgoing message that it was given.

    What was lost holds up the rest until it is missed: each time the lane has to have gone on before.
    """
    before = _lost(stack)
    for _ in range(3):
        time.sleep(FIRST_S)
        _lose(stack)
    return f"{_lost(stack) - before} tasks lost, three times"


def _lose(stack: Stack) -> None:
    before = _lost(stack)
    stack.sqs_control("loses?queue=outgoing")
    wait_until(lambda: _lost(stack) > before, "SQS was given something to lose", GOES_ON_S)
    time.sleep(LOSES_S)
    stack.sqs_control("loses")


def _lost(stack: Stack) -> int:
    return int(stack.sqs_control("counts")["lost"])


def sqs_doubles(stack: Stack, load: Load) -> str:
    """Every message on every queue comes twice."""
    stack.sqs_control("doubles?on=1")
    load.wait()
    time.sleep(BACKLOG_S)
    stack.sqs_control("doubles")
    return "all tasks twice"
