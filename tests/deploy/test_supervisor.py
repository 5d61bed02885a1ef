"""supervisord's configuration, and what is done with processes that it left behind."""

import configparser
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import LocalError
from deploy.local.environment import MARKER
from deploy.local.orphans import end_orphans
from deploy.local.programs import Program
from deploy.local.supervisor import LONGEST_SOCKET_PATH, Supervisor
from tests.waiting import PATIENCE_S


def configure(var: Path, command: str, processes: int = 1) -> configparser.RawConfigParser:
    Supervisor(var, Path.cwd()).configure([Program("incoming", "app", command, processes)])
    config = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    config.read(var / "run" / "supervisord.conf")
    return config


def test_only_the_owner_may_read_the_configuration_and_use_the_socket(tmp_path: Path) -> None:
    config = configure(tmp_path, "work")
    assert stat.S_IMODE((tmp_path / "run" / "supervisord.conf").stat().st_mode) == 0o600
    assert config["unix_http_server"]["chmod"] == "0700"


def test_quotes_and_percent_signs_reach_the_shell(tmp_path: Path) -> None:
    config = configure(tmp_path, "work --name 'a b' --format 100%")
    quoted = config["program:incoming"]["command"].replace("%%", "%")
    assert subprocess.check_output(["/bin/sh", "-c", f'set -- {quoted}; printf %s "$3"'], text=True) == (
        "exec work --name 'a b' --format 100%"
    )


def test_each_process_of_a_lane_has_its_own_name(tmp_path: Path) -> None:
    section = configure(tmp_path, "work", processes=2)["program:incoming"]
    assert section["environment"] == 'WORKER_NAME="incoming-%(process_num)d"'
    assert section["numprocs"] == "2"


def test_a_comment_sign_in_a_command_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="incoming"):
        configure(tmp_path, "work ; rest")


def test_a_long_directory_name_gets_a_short_socket(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40)
    path = Path(configure(var, "work")["unix_http_server"]["file"])
    assert len(str(path)) <= LONGEST_SOCKET_PATH
    Supervisor(var, Path.cwd()).remove_socket()
    assert not path.parent.exists()


def test_what_a_killed_supervisord_left_beside_its_socket_is_removed_with_it(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40)
    path = Path(configure(var, "work")["unix_http_server"]["file"])
    path.with_name(f"{path.name}.4711").touch()
    Supervisor(var, Path.cwd()).remove_socket()
    assert not path.parent.exists()


def test_a_socket_directory_that_holds_anything_else_stays(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40)
    path = Path(configure(var, "work")["unix_http_server"]["file"])
    other = path.with_name("other")
    other.touch()
    Supervisor(var, Path.cwd()).remove_socket()
    assert other.exists()
    other.unlink()
    other.parent.rmdir()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads Linux's /proc")
def test_only_leftover_processes_of_this_directory_are_ended(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
    processes = [
        subprocess.Popen(sleep, env={**os.environ, MARKER: str(tmp_path / name)}, stdout=subprocess.PIPE)
        for name in ("ours", "theirs")
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    assert end_orphans(tmp_path / "ours") == 1
    ours, theirs = processes
    assert ours.wait(PATIENCE_S) != 0
    assert theirs.poll() is None
    theirs.kill()
    theirs.wait()
