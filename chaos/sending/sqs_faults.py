"""What SQS may do: be away, lose what it holds, deliver everything twice."""

import time

from chaos.sending.clients import Load
from chaos.sending.stack import Stack

AWAY_S = 20.0
FIRST_S = 1.5
BACKLOG_S = 1.0


def sqs_away(stack: Stack, load: Load) -> str:
    """SQS refuses connections for 20 s."""
    time.sleep(FIRST_S)
    stack.sqs_control(f"away?s={AWAY_S:.0f}")
    time.sleep(AWAY_S + 1)
    return f"away for {AWAY_S:.0f} s"


def sqs_loses(stack: Stack, load: Load) -> str:
    """Three times SQS forgets every outgoing message that it was given."""
    for _ in range(3):
        time.sleep(FIRST_S)
        stack.sqs_control("loses?queue=outgoing")
        time.sleep(2.0)
        stack.sqs_control("loses")
    return f"{stack.sqs_control('counts')['lost']} tasks lost"


def sqs_doubles(stack: Stack, load: Load) -> str:
    """Every message on every queue comes twice."""
    stack.sqs_control("doubles?on=1")
    load.wait()
    time.sleep(BACKLOG_S)
    stack.sqs_control("doubles")
    return "all tasks twice"
