"""deploy/aws.sh, with a program instead of the AWS CLI that says how it was called."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S

AWS = """#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in
  *get-secret-value*) cat "$SECRET" ;;
  *put-secret-value*) cp "${4#file://}" "$PUT"; stat -c %a "${4#file://}" >"$PUT.mode" ;;
  *run-task*) printf '%s\t%s\n' "${TASK:-arn:aws:ecs:us-east-1:1:task/c/7f}" "${FAILURE:-None}" ;;
  *lastStatus*) [ "$(grep -c sleep "$CALLS")" -lt 3 ] && echo RUNNING || echo "${LAST:-STOPPED}" ;;
  *exitCode*) echo "${EXIT_CODE:-0}" ;;
  *stoppedReason*) echo "no image" ;;
  *describe-stacks*) echo "an-output" ;;
esac
"""
PIPELINE = {"WA_APP_SECRET": "old", "WA_APP_SECRET_PREVIOUS": ""}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)
    (tmp_path / "sleep").write_text('#!/bin/sh\necho "sleep" >>"$CALLS"\n')
    (tmp_path / "sleep").chmod(0o755)
    (tmp_path / "secret.json").write_text(json.dumps(PIPELINE))
    files = {"CALLS": "calls", "SECRET": "secret.json", "PUT": "put.json"}
    paths = {name: str(tmp_path / file) for name, file in files.items()}
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path), **paths}


def run(env: dict[str, str], command: str, **given: str) -> "subprocess.CompletedProcess[str]":
    script = f". deploy/aws.sh; {command}"
    return subprocess.run(
        ["bash", "-c", script], env=env | given, cwd=CHECKOUT, input="new \"secret'\n", capture_output=True, text=True,
        check=False, timeout=PATIENCE_S,
    )  # fmt: skip


def calls(env: dict[str, str]) -> list[str]:
    return Path(env["CALLS"]).read_text().splitlines()


def test_a_secret_is_changed_and_the_others_are_kept(env: dict[str, str]) -> None:
    done = run(env, "put_secret WA_APP_SECRET")
    assert done.returncode == 0, done.stderr
    written = json.loads(Path(env["PUT"]).read_text())
    assert json.loads(written["SecretString"]) == PIPELINE | {"WA_APP_SECRET": "new \"secret'"}
    assert Path(f"{env['PUT']}.mode").read_text() == "600\n"


def test_a_secret_is_no_argument_of_any_program_and_its_file_is_gone(env: dict[str, str], tmp_path: Path) -> None:
    run(env, "put_secret WA_APP_SECRET")
    assert not any("secret'" in call for call in calls(env))
    assert {path.name for path in tmp_path.iterdir()} == {
        *("aws", "sleep", "calls", "secret.json", "put.json", "put.json.mode")
    }


def test_a_key_that_the_secret_does_not_have_is_not_written(env: dict[str, str]) -> None:
    done = run(env, "put_secret WA_APP_SECRETS")
    assert (done.returncode != 0, "is not a key of the secret" in done.stderr) == (True, True)
    assert not Path(env["PUT"]).exists()


def test_manage_gives_its_words_to_the_task(env: dict[str, str]) -> None:
    done = run(env, "manage shell -c 'print(\"a b\")'")
    assert done.returncode == 0, done.stderr
    (call,) = [call for call in calls(env) if "run-task" in call]
    overrides = json.loads(call.partition("--overrides ")[2].partition(" --query")[0])
    (container,) = overrides["containerOverrides"]
    assert container == {"name": "migrate", "command": ["python", "manage.py", "shell", "-c", 'print("a b")']}


def test_manage_waits_for_its_task_and_names_its_log(env: dict[str, str]) -> None:
    assert run(env, 'manage migrate && echo "$LOG_STREAM"').stdout.splitlines()[-1] == "migrate/migrate/7f"
    assert calls(env).count("sleep") == 3


@pytest.mark.parametrize("code", ["1", "None"])
def test_manage_fails_as_its_task_fails_and_says_why(env: dict[str, str], code: str) -> None:
    done = run(env, "manage migrate", EXIT_CODE=code)
    assert (done.returncode, done.stderr) == (1, "no image\n")


def test_manage_does_not_wait_for_a_task_that_was_not_started(env: dict[str, str]) -> None:
    done = run(env, "manage migrate", TASK="None", FAILURE="Capacity is unavailable at this time.")
    assert (done.returncode, done.stderr) == (1, "ECS started no task: Capacity is unavailable at this time.\n")
    assert "sleep" not in calls(env)


def test_manage_does_not_wait_for_a_task_that_ecs_has_forgotten(env: dict[str, str]) -> None:
    done = run(env, "manage migrate", LAST="None")
    assert (done.returncode, done.stderr) == (
        1, "ECS does not know the task; its log is migrate/migrate/7f.\n"
    )  # fmt: skip


def test_another_installation_of_the_account_has_its_own_stacks(env: dict[str, str]) -> None:
    run(env, "deploy_service Run=true", SERVICE_STACK="s", INFRASTRUCTURE_STACK="i", TEMPLATE_BUCKET="b")
    (call,) = calls(env)
    assert "--stack-name s --s3-bucket b " in call
    assert call.endswith("--parameter-overrides InfrastructureStack=i Run=true")


@pytest.mark.parametrize(("command", "services"), [("restart web", ["web"]), ("restart", None)])
def test_restart_replaces_the_tasks_of_the_processes(
    env: dict[str, str], command: str, services: list[str] | None
) -> None:
    run(env, command)
    given = [call.partition("--service ")[2].split()[0] for call in calls(env) if "update-service" in call]
    everything = ["web", "incoming", "outgoing", "analytics", "dispatcher", "deliver", "monitor", "beat"]
    assert given == [f"wa-app-service-{name}" for name in services or everything]


def test_without_a_bucket_for_templates_the_sentence_says_so(env: dict[str, str]) -> None:
    done = run(env, "deploy_service Run=true")
    assert (done.returncode != 0, "name the bucket for templates" in done.stderr) == (True, True)
