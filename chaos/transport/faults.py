"""What is done to workers and to their SQS. Each returns a remark, and leaves nothing broken."""

import time
from collections.abc import Callable, Iterator
from itertools import cycle

import psutil  # type: ignore[import-untyped]

from chaos.faulty_sqs import Fault
from chaos.processes import NotReady, Process
from chaos.transport.load import Load
from chaos.transport.rig import Rig

FIRST_S = 1.0
# So often that some are killed at work.
CHILD_EVERY_S = 0.3
ONE_IN = 20
THROTTLED_ONE_IN = 3

Inject = Callable[[Rig, Load, float], str]


def restarts(rig: Rig, load: Load, seconds: float) -> str:
    """SIGTERM to one worker after the other, each back before the next."""
    until, times = time.monotonic() + seconds, 0
    for worker in cycle(rig.workers):
        if not worker.stop():
            raise NotReady(f"{worker.name} did not end well after SIGTERM")
        worker.start()
        worker.wait_ready()
        times += 1
        if time.monotonic() > until and times >= len(rig.workers):
            break
    return f"{times} restarts"


def kills(rig: Rig, load: Load, seconds: float) -> str:
    """kill -9 of one worker after the other, with its children."""
    times = 0
    for worker in _in_turn(rig, seconds, FIRST_S):
        pid = worker.pid
        worker.kill()
        # What a killed worker held stays hidden for longer than all kills take, so it is counted at each one.
        rig.in_flight = max(rig.in_flight, rig.note_kill(pid))
        worker.start()
        worker.wait_ready()
        times += 1
    return f"{times} kills"


def child_kills(rig: Rig, load: Load, seconds: float) -> str:
    """kill -9 of a process of the prefork worker, which starts another."""
    times = 0
    prefork = rig.workers[0]
    for _ in _in_turn(rig, seconds, CHILD_EVERY_S):
        if children := psutil.Process(prefork.pid).children():
            children[0].kill()
            # What a killed child held comes back at once or after its back-off.
            rig.in_flight += rig.note_kill(children[0].pid)
            times += 1
    return f"{times} kills of a child"


def answers(fault: Fault, one_in: int = 1) -> Inject:
    """SQS answers so, each time or each so many times."""

    def inject(rig: Rig, load: Load, seconds: float) -> str:
        time.sleep(FIRST_S)
        rig.proxy.set(fault, one_in)
        time.sleep(seconds)
        rig.proxy.set(None)
        return f"{rig.proxy.hits} hits in {seconds:.0f} s"

    return inject


def throughout(fault: Fault, one_in: int) -> Inject:
    """The same as long as tasks are published and done."""

    def inject(rig: Rig, load: Load, seconds: float) -> str:
        rig.proxy.set(fault, one_in)
        load.wait()
        time.sleep(FIRST_S)
        rig.proxy.set(None)
        return f"{rig.proxy.hits} hits"

    return inject


def refuses(rig: Rig, load: Load, seconds: float) -> str:
    """Nobody can connect, and who was connected is not any more."""
    time.sleep(FIRST_S)
    rig.proxy.close()
    time.sleep(seconds)
    rig.proxy.open()
    return f"{seconds:.0f} s"


def _in_turn(rig: Rig, seconds: float, every: float) -> Iterator[Process]:
    until = time.monotonic() + seconds
    for worker in cycle(rig.workers):
        time.sleep(every)
        if time.monotonic() > until:
            return
        yield worker
