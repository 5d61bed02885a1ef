"""Faults of workers and of their SQS. Each counts its hits by their effect, and ends itself."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import psutil  # type: ignore[import-untyped]

from chaos.scenario import Harm, Injected
from chaos.transport.load import Load
from chaos.transport.rig import Rig
from testkit.processes import Process
from testkit.sqs_proxy import Fault
from testkit.waiting import NotReady, eventually

FIRST_S = 1.0
# Short enough to kill some children at work.
CHILD_EVERY_S = 0.3
ONE_IN = 20
THROTTLED_ONE_IN = 3
AT_WORK_S = 3.0
# A killed process ends a moment after the signal.
DEATH_S = 0.5


@dataclass(frozen=True, slots=True)
class Site:
    """The target of a fault, and its duration."""

    rig: Rig
    load: Load
    seconds: float
    harm: Harm


Inject = Callable[[Site], Injected]


def restarts(site: Site) -> Injected:
    """SIGTERM to one worker after the other, each back before the next. A hit is one with a task at work."""
    until, times, hits = time.monotonic() + site.seconds, 0, 0
    for turn, worker in enumerate(cycle(site.rig.workers), 1):
        at_work = eventually(partial(site.rig.at_work, worker.pid), AT_WORK_S, 0.001)
        stopped = site.harm(worker.stop)
        if not worker.is_alive():
            if not stopped:
                raise NotReady(f"{worker.name} did not end with status 0 after SIGTERM")
            worker.start()
            worker.wait_ready()
            times, hits = times + 1, hits + at_work
        if time.monotonic() > until and turn >= len(site.rig.workers):
            break
    return Injected(hits, f"{times} restarts")


def kill_workers(site: Site) -> Injected:
    """kill -9 of one worker after the other, with its children. A hit is a kill that cut a task short."""
    kills = hits = 0
    for worker in _in_turn(site, FIRST_S):
        pid = worker.pid
        eventually(partial(site.rig.at_work, pid), AT_WORK_S, 0.001)
        site.harm(worker.kill)
        if worker.is_alive():
            continue
        # What a killed worker held stays hidden for longer than all kills take, so each reading includes the others.
        site.rig.in_flight = max(site.rig.in_flight, site.rig.note_kill(pid))
        kills, hits = kills + 1, hits + bool(site.rig.at_work(pid))
        worker.start()
        worker.wait_ready()
    return Injected(hits, f"{kills} kills")


def kill_children(site: Site) -> Injected:
    """kill -9 of a process of the prefork worker, which starts another. A hit is a kill that cut a task short."""
    kills = hits = 0
    prefork = site.rig.workers[0]
    for _ in _in_turn(site, CHILD_EVERY_S):
        for child in psutil.Process(prefork.pid).children()[:1]:
            eventually(partial(site.rig.at_work, child.pid), AT_WORK_S, 0.001)
            site.harm(child.kill)
            if not eventually(partial(_is_dead, child), DEATH_S, 0.001):
                continue
            # What a killed child held comes back at once or after its back-off, so the readings add up.
            site.rig.in_flight += site.rig.note_kill(child.pid)
            kills, hits = kills + 1, hits + bool(site.rig.at_work(child.pid))
    return Injected(hits, f"{kills} kills of a child")


def answers(fault: Fault) -> Inject:
    """SQS answers every request so for a while. A hit is a request."""

    def inject(site: Site) -> Injected:
        time.sleep(FIRST_S)
        site.harm(site.rig.proxy.set, fault)
        time.sleep(site.seconds)
        site.rig.proxy.set(None)
        return Injected(site.rig.proxy.hits, f"for {site.seconds:.0f} s")

    return inject


def throughout(fault: Fault, one_in: int) -> Inject:
    """SQS answers one in this many requests or entries so, as long as tasks are published and done. Each is a hit."""

    def inject(site: Site) -> Injected:
        site.harm(site.rig.proxy.set, fault, one_in)
        site.load.wait()
        time.sleep(FIRST_S)
        site.rig.proxy.set(None)
        return Injected(site.rig.proxy.hits)

    return inject


def refuses(site: Site) -> Injected:
    """SQS breaks all connections and accepts none. A hit is a broken connection or a refused publication."""
    time.sleep(FIRST_S)
    before = site.load.refusals
    site.harm(site.rig.proxy.close)
    time.sleep(site.seconds)
    hits = site.rig.proxy.broken_connections + site.load.refusals - before
    site.harm(site.rig.proxy.open)
    return Injected(hits, f"for {site.seconds:.0f} s")


def _is_dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _in_turn(site: Site, every: float) -> Iterator[Process]:
    until = time.monotonic() + site.seconds
    for worker in cycle(site.rig.workers):
        time.sleep(every)
        if time.monotonic() > until:
            return
        yield worker
