"""No two workers of a host have one name, and a worker that was killed has its name again."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, pathlib
from waproject.worker.node_name import free_name
print(free_name("outgoing", sys.argv[2], pathlib.Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def worker(directory: Path, queue_url: str = "http://127.0.0.1/outgoing") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(directory), queue_url]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def name(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_the_second_worker_of_a_lane_has_a_name_of_its_own(tmp_path: Path) -> None:
    with worker(tmp_path) as first:
        assert name(first) == "outgoing"
        with worker(tmp_path) as second:
            assert name(second) == "outgoing-2"


def test_a_killed_workers_name_is_used_by_its_successor(tmp_path: Path) -> None:
    with worker(tmp_path) as killed:
        name(killed)
        killed.kill()
    with worker(tmp_path) as successor:
        assert name(successor) == "outgoing"


def test_another_deployments_workers_on_the_host_take_no_names(tmp_path: Path) -> None:
    with worker(tmp_path), worker(tmp_path, "http://127.0.0.1/staging") as theirs:
        assert name(theirs) == "outgoing"
