"""Processes that die, and processes that are told to end."""

import time
from itertools import cycle

from chaos.processes import Process
from chaos.sending.clients import Load
from chaos.sending.stack import Stack

FIRST_S = 1.5
DOWN_S = 0.5


def kill_worker(stack: Stack, load: Load) -> str:
    """kill -9 of an outgoing worker, five times; there are two, and each is started again."""
    _kill_in_turn(stack.outgoing, times=5, every=1.0)
    return "5 kills"


def kill_dispatcher(stack: Stack, load: Load) -> str:
    """kill -9 of one of the two dispatchers, each twice."""
    _kill_in_turn(stack.dispatchers, times=4, every=1.0)
    return "4 kills"


def kill_web(stack: Stack, load: Load) -> str:
    """kill -9 of web under load, requests and webhooks in its hands."""
    _kill_in_turn([stack.web], times=2, every=2.0)
    return "2 kills"


def kill_postgres(stack: Stack, load: Load) -> str:
    """kill -9 of PostgreSQL: every connection breaks, and it recovers from its log."""
    time.sleep(FIRST_S)
    for _ in range(2):
        stack.kill_postgres()
        time.sleep(DOWN_S)
        stack.start_postgres()
        time.sleep(2.0)
    return "2 kills"


def rolling_restart(stack: Stack, load: Load) -> str:
    """SIGTERM to every process, one after the other, each back before the next."""
    for process in stack.app:
        process.stop()
        process.start()
        process.wait_ready()
    return f"{len(stack.app)} restarts"


def _kill_in_turn(processes: list[Process], times: int, every: float) -> None:
    time.sleep(FIRST_S)
    for _, process in zip(range(times), cycle(processes), strict=False):
        process.kill()
        time.sleep(DOWN_S)
        process.start()
        process.wait_ready()
        time.sleep(every)
