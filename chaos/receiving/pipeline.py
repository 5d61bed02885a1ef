"""The processes of the incoming and analytics lanes, for one scenario; its logs are kept where a promise broke."""

from collections.abc import Callable

from chaos.scenario import Outcome
from chaos.sending.stack import Stack


def with_pipeline(scenario: Callable[[Stack], Outcome]) -> Outcome:
    """Run it on processes of its own."""
    stack = Stack(outgoing=0, analytics=True)
    held = False
    try:
        stack.start()
        outcome = scenario(stack)
        held = outcome.held
    except Exception as error:
        error.add_note(f"logs: {stack.directory}")
        raise
    finally:
        stack.stop(keep=not held)
    if held:
        return outcome
    return Outcome(outcome.lost, outcome.doubled, outcome.unsettled, f"{outcome.detail}; logs: {stack.directory}")


def count(stack: Stack, statement: str) -> int:
    """A number from the database."""
    ((found,),) = stack.query(statement)
    return int(found)
