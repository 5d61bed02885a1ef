"""One scenario: clients ask, something breaks, everything has to settle, and the ledger is held against it."""

import atexit
from collections.abc import Callable
from dataclasses import dataclass

from chaos.scenario import Outcome
from chaos.sending.clients import Load
from chaos.sending.stack import Stack
from chaos.sending.witness import LAST_S, SETTLE_S, now, verdict, wait_settled

# Messages in a scenario's full form, and in its short one.
FULL = 1000
SHORT = 100


@dataclass(frozen=True)
class Trial:
    """What breaks, and for how long the clients ask meanwhile.

    `inject` is called when they begin, returns a remark, and leaves nothing broken.
    """

    inject: Callable[[Stack, Load], str]
    load_s: float = 14.0
    # With few messages: long enough for what is injected.
    short_load_s: float = 5.0

    def run(self, messages: int) -> Outcome:
        """The scenario. One that fails leaves no process to the next one."""
        try:
            stack = _shared.get()
            outcome = self._run(stack, messages)
            if outcome.held:
                stack.reset()
        except Exception as error:  # what stops a scenario is its result, and must not stop those that follow
            outcome = Outcome(0, 0, messages, f"stopped: {type(error).__name__}: {error}")
        except BaseException:
            _shared.end()
            raise
        return outcome if outcome.held else self._failed(outcome)

    def _run(self, stack: Stack, messages: int) -> Outcome:
        seconds = self.load_s if messages >= FULL else self.short_load_s
        load = Load(stack.env["BASE_URL"], stack.env["API_KEY"], messages, seconds)
        load.start()
        try:
            remark = self.inject(stack, load)
            load.wait()
            wait_settled(stack, now(), SETTLE_S)
        finally:
            load.stop()
        wait_settled(stack, now(), LAST_S)
        return verdict(stack, load.accepted, remark)

    def _failed(self, outcome: Outcome) -> Outcome:
        detail = f"{outcome.detail}; logs: {_shared.end(keep=True)}"
        return Outcome(outcome.lost, outcome.doubled, outcome.unsettled, detail)


class _Shared:
    """The pipeline that scenarios share while all goes well: starting one takes longer than most of them."""

    def __init__(self) -> None:
        self._stack: Stack | None = None

    def get(self) -> Stack:
        """A pipeline without messages."""
        if self._stack is None:
            stack = Stack()
            stack.start()
            self._stack = stack
        return self._stack

    def end(self, keep: bool = False) -> str:
        """End it; where its logs are, with `keep`."""
        if self._stack is None:
            return "none"
        stack, self._stack = self._stack, None
        stack.stop(keep)
        return str(stack.directory)


_shared = _Shared()
atexit.register(_shared.end)
