"""The plan of a local run, checked before it starts."""

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from deploy.local import LocalError, plan, ports, procfile
from deploy.local.plan import Plan, holder, lock_file, run_lock


def test_the_procfile_gives_each_process_its_command(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text("# comment\n\nweb: serve --bind ${HOST:-a}:$PORT\nbeat:   tick  \n")
    assert procfile.read(file) == {"web": "serve --bind ${HOST:-a}:$PORT", "beat": "tick"}


@pytest.mark.parametrize("text", ["web serve", "web: a\nweb: b", "web:"])
def test_a_broken_procfile_is_refused_by_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "Procfile").write_text(text)
    with pytest.raises(LocalError, match="line"):
        procfile.read(tmp_path / "Procfile")


def test_the_projects_procfile_serves_all_three_lanes() -> None:
    commands = procfile.read(Path(__file__).parents[2] / "Procfile")
    for lane in ("incoming", "outgoing", "analytics"):
        assert commands[lane] == f"celery -A waproject worker -Q {lane}"


def test_a_taken_port_is_named_with_its_variable(taken_port: int) -> None:
    with pytest.raises(LocalError, match=rf"Port {taken_port} \(FLOWER_PORT\) is already in use"):
        ports.refuse_taken({"FLOWER_PORT": taken_port})


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "80.0", pytest.param("9" * 5000, id="long")])
def test_an_invalid_port_is_refused(text: str) -> None:
    with pytest.raises(LocalError, match="SQS_PORT"):
        ports.read_ports({"SQS_PORT": text})


def test_one_port_for_two_servers_is_refused() -> None:
    with pytest.raises(LocalError, match="PORT and SANDBOX_PORT are both 9000"):
        ports.read_ports({"PORT": "9000", "SANDBOX_PORT": "9000"})


def test_secrets_are_private_and_the_same_in_the_next_run(checkout: Path) -> None:
    first, second = Plan.read({}, checkout), Plan.read({}, checkout)
    assert first.env["API_KEY"] == second.env["API_KEY"]
    file = checkout / "var" / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["API_KEY"] == first.env["API_KEY"]


def test_an_unreadable_secrets_file_is_one_sentence(checkout: Path) -> None:
    (checkout / "var").mkdir()
    (checkout / "var" / "secrets.json").write_text("{")
    with pytest.raises(LocalError, match=r"secrets\.json"):
        Plan.read({}, checkout)


def test_a_lane_has_the_configured_number_of_workers(checkout: Path) -> None:
    app = Plan.read({"INCOMING_WORKERS": "2"}, checkout).app
    assert [name for program in app for name in program.names()] == ["web", "incoming-1", "incoming-2"]


@pytest.mark.parametrize("text", ["-1", "two", "1000", pytest.param("9" * 5000, id="long")])
def test_a_number_of_workers_that_is_none_is_refused(checkout: Path, text: str) -> None:
    with pytest.raises(LocalError, match="INCOMING_WORKERS"):
        Plan.read({"INCOMING_WORKERS": text}, checkout)


def test_a_secret_that_is_null_is_made_anew(checkout: Path) -> None:
    (checkout / "var").mkdir()
    (checkout / "var" / "secrets.json").write_text('{"API_KEY": null, "ADMIN_PASSWORD": "mine"}')
    env = Plan.read({}, checkout).env
    assert (env["API_KEY"][:4], env["ADMIN_PASSWORD"]) == ("wak_", "mine")


@pytest.mark.parametrize("value", ["12345", "true", "[]", '{"a": "b"}'])
def test_a_secret_that_is_no_text_is_named(checkout: Path, value: str) -> None:
    (checkout / "var").mkdir()
    (checkout / "var" / "secrets.json").write_text(f'{{"ADMIN_PASSWORD": {value}}}')
    with pytest.raises(LocalError, match=r"secrets\.json: ADMIN_PASSWORD must be text"):
        Plan.read({}, checkout)


def test_a_run_begins_although_somebody_looks_whether_one_runs(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lock_file(checkout).open("a+") as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)

        def look_ends(var: Path) -> int | None:
            fcntl.flock(looker, fcntl.LOCK_UN)
            return holder(var)

        monkeypatch.setattr(plan, "holder", look_ends)
        with run_lock(checkout):
            assert holder(checkout) == os.getpid()


def test_of_two_who_look_at_once_none_takes_the_other_for_the_run_that_was_killed(checkout: Path) -> None:
    lock_file(checkout).write_text("4711\n")
    with lock_file(checkout).open("a+") as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        assert holder(checkout) is None


def test_a_second_run_in_the_same_directory_is_refused(checkout: Path) -> None:
    with run_lock(checkout), pytest.raises(LocalError, match="already runs here"), run_lock(checkout):
        pass
