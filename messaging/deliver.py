"""The deliver process: what goes to other people's servers and comes from them, off the lanes. Any number may run."""

from typing import Any

from messaging.rounds import Round

# One line for each kind of work; `messaging.rounds.Round` says what a round is.
ROUNDS: tuple[Round[Any, Any], ...] = ()
