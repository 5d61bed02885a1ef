"""The limit on a process's CPU."""

import subprocess
import time

import psutil  # type: ignore[import-untyped]

from testkit.cpu_limit import CpuLimit
from testkit.processes import python
from tests.waiting import eventually

BUSY = "while True: pass"


def test_a_busy_process_gets_its_share_and_goes_on_afterwards() -> None:
    process = subprocess.Popen(python("-c", BUSY))
    try:
        begin = time.monotonic()
        # A share that it gets on a busy machine, too.
        with CpuLimit(process.pid, 0.05) as limit:
            assert eventually(lambda: limit.stopped_s > 0.5 and limit.peak_bytes)
        # The clock of /proc has ticks of 10 ms.
        assert 0 < limit.cpu_s < 0.05 * (time.monotonic() - begin) + 0.1
        assert limit.peak_bytes > 1_000_000
        assert psutil.Process(process.pid).status() != psutil.STATUS_STOPPED
    finally:
        process.kill()
        process.wait()


def test_a_process_that_ends_meanwhile_is_no_error() -> None:
    process = subprocess.Popen(python("-c", "pass"))
    with CpuLimit(process.pid, 100) as limit:
        process.wait()
        time.sleep(0.2)
    assert limit.stopped_s == 0
