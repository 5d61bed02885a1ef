"""Who decides about a variable: the caller, the local default, or safety."""

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from deploy.local import LocalError
from deploy.local.announce import table, write_env_file
from deploy.local.plan import Plan


def names(plan: Plan) -> set[str]:
    return {part.name for part in plan.parts}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WA_APP_SECRET", "mine"),
        ("DJANGO_DEBUG", "true"),
        ("SQS_OUTGOING_QUEUE_URL", "http://localhost:1/0/q"),
        ("API_KEY", "wak_mine"),
        ("WEB_WORKERS", "7"),
        ("AWS_REGION", "eu-central-1"),
    ],
)
def test_the_callers_variables_take_precedence(checkout: Path, name: str, value: str) -> None:
    assert Plan.read({name: value}, checkout).env[name] == value


def test_a_database_of_the_caller_replaces_the_embedded_one(checkout: Path) -> None:
    plan = Plan.read({"DATABASE_URL": "postgres://db.example/x"}, checkout)
    assert plan.env["DATABASE_URL"] == "postgres://db.example/x"
    assert names(plan) == {"sqs", "sandbox"}
    assert "POSTGRES_PORT" not in plan.ports


def test_an_sqs_server_of_the_caller_replaces_the_embedded_one(checkout: Path) -> None:
    plan = Plan.read({"AWS_ENDPOINT_URL_SQS": "http://localhost:9324/"}, checkout)
    assert names(plan) == {"postgres", "sandbox"}
    assert plan.env["SQS_INCOMING_QUEUE_URL"] == "http://localhost:9324/000000000000/waproject-incoming"


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL", "WA_GRAPH_URL", "SQS_ANALYTICS_DLQ_URL"])
@pytest.mark.parametrize("url", ["https://sqs.us-east-1.amazonaws.com/1/q", "http://127.0.0.1.example.com", "nonsense"])
def test_a_server_on_another_machine_is_refused(checkout: Path, name: str, url: str) -> None:
    with pytest.raises(LocalError, match=f"{name}=.*not on this machine"):
        Plan.read({name: url}, checkout)


def test_real_aws_credentials_are_not_inherited(checkout: Path) -> None:
    caller = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "t", "AWS_ACCESS_KEY_ID": "AKIA", "DEPLOYMENT": "production"}
    env = Plan.read(caller, checkout).env
    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["DEPLOYMENT"]) == ("local", "local", "local")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & env.keys()


def test_requests_to_this_machine_bypass_a_proxy(checkout: Path) -> None:
    env = Plan.read({"NO_PROXY": "intranet"}, checkout).env
    assert env["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_the_api_key_has_the_published_form(checkout: Path) -> None:
    assert re.fullmatch(r"wak_[a-z0-9]{8}_[A-Za-z0-9]{43}", Plan.read({}, checkout).env["API_KEY"])


def test_a_shell_can_source_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / "local.env"
    value = 'it\'s $HOME; `x` "y" #z'
    (tmp_path / "run").mkdir()
    write_env_file(tmp_path, {"WA_APP_SECRET": value, "WA_CUSTOM": "1", "HOME": "/not/published"})
    script = f'. {shlex.quote(str(file))}; printf %s "$WA_APP_SECRET$WA_CUSTOM"'
    assert subprocess.check_output(["/bin/sh", "-c", script], text=True) == f"{value}1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "HOME=" not in file.read_text()


def test_a_shell_with_the_env_file_of_an_earlier_run_starts_the_same_parts(checkout: Path) -> None:
    before = Plan.read({}, checkout)
    (before.var / "run").mkdir(exist_ok=True)
    write_env_file(before.var, before.env)
    after = Plan.read({**before.env, "WA_GRAPH_VERSION": "v26.0"}, checkout)
    assert ([part.name for part in after.parts], after.env["WA_GRAPH_VERSION"]) == (
        [part.name for part in before.parts],
        "v26.0",
    )


def test_a_value_of_two_lines_lets_the_next_run_start(checkout: Path) -> None:
    before = Plan.read({"WA_NOTE": "it's one\nand two"}, checkout)
    write_env_file(before.var, before.env)
    assert "WA_NOTE" not in Plan.read(before.env, checkout).env


@pytest.mark.parametrize("name", ["env_file", "log_dir", "example"])
def test_no_variable_of_the_caller_takes_a_place_of_the_table(checkout: Path, name: str) -> None:
    env = Plan.read({name: "of the caller"}, checkout).env
    assert "of the caller" not in table({**env, "ADMIN_PASSWORD": "x"}, Path("var/local.env"), Path("var/log"))


def test_a_value_that_is_no_text_is_published_as_it_is(checkout: Path) -> None:
    before = Plan.read({"WA_NOTE": os.fsdecode(b"caf\xe9")}, checkout)
    write_env_file(before.var, before.env)
    assert b"caf\xe9" in (before.var / "local.env").read_bytes()
    assert "WA_NOTE" not in Plan.read(before.env, checkout).env
