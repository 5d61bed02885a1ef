"""deploy/compose.yaml: all processes on one server, with the settings that docs/deploy.md writes."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local import procfile
from tests.environment import PREFIXES
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S
from waproject.queues import LANES

COMMANDS = procfile.read(CHECKOUT / "Procfile")
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "deploy" / "compose.yaml").read_text())
PAGE = (CHECKOUT / "docs" / "deploy.md").read_text()
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "whatsapp-pipeline"}
# The name of a service is its host name.
COMPOSE_SQS = "sqs"
FILLED_IN = {"<system user's token>": "EAAG0123456789", "<app secret>": "0123456789abcdef"}


def test_compose_runs_the_procfiles_processes_and_migrates_before() -> None:
    assert {name: service["command"] for name, service in OURS.items() if name != "migrate"} == {
        name: [name] for name in COMMANDS
    }
    assert OURS["migrate"]["command"][:3] == ["python", "manage.py", "migrate"]
    assert all("migrate" in service["depends_on"] for name, service in OURS.items() if name != "migrate")


def test_compose_gives_no_process_more_than_it_needs() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert [each.partition(":")[0] for each in service["tmpfs"]] == ["/tmp"]  # noqa: S108
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_no_log_fills_the_disk() -> None:
    for service in COMPOSE["services"].values():
        assert {"max-size", "max-file"} <= service["logging"]["options"].keys()


def test_postgresqls_log_quotes_no_texts() -> None:
    command = COMPOSE["services"]["postgres"]["command"]
    assert command[0] == "postgres"
    assert {"log_min_error_statement=panic", "log_error_verbosity=terse"} <= set(command)


def test_compose_waits_for_a_task_before_it_kills() -> None:
    longest = max(lane.task_time_limit for lane in LANES.values())
    for service in OURS.values():
        assert int(service["stop_grace_period"].removesuffix("s")) > longest


@pytest.mark.parametrize("lane", LANES.values(), ids=lambda lane: lane.name)
def test_composes_sqs_server_has_the_table_of_queues(lane: Any) -> None:
    text = COMPOSE["configs"]["sqs"]["content"]
    assert (
        f"{lane.name} {{ defaultVisibilityTimeout = {lane.visibility_timeout} seconds, "
        f'deadLettersQueue {{ name = "{lane.name}-dlq", maxReceiveCount = {lane.max_receives} }} }}' in text
    )
    assert f"{lane.name}-dlq {{ }}" in text


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """production.env, as the page's commands write it."""
    (writing,) = re.findall(r"^\(umask 077; cat > production\.env.*?^\)\n", PAGE, flags=re.M | re.S)
    directory = tmp_path_factory.mktemp("server")
    subprocess.run(["bash", "-euc", writing], cwd=directory, check=True, timeout=PATIENCE_S)
    return directory / "production.env"


@pytest.fixture(scope="module")
def settings(settings_file: Path) -> dict[str, str]:
    """Its variables, with the page's placeholders filled in."""
    text = settings_file.read_text()
    for placeholder, value in FILLED_IN.items():
        text = text.replace(placeholder, value)
    return dict(line.split("=", 1) for line in text.splitlines())


def filled_in(text: str, variables: dict[str, str]) -> str:
    """A value of the compose file, as Compose reads it: ${NAME:-default}, the inner ones first."""
    while found := re.search(r"\$\{(\w+):-([^${}]*)\}", text):
        text = text.replace(found[0], variables.get(found[1]) or found[2])
    return text


def environment(service: str, variables: dict[str, str]) -> dict[str, str]:
    """What a service's container gets."""
    given: dict[str, str] = COMPOSE["services"][service]["environment"]
    return variables | {name: filled_in(value, variables) for name, value in given.items()}


def test_only_its_owner_reads_the_settings(settings_file: Path) -> None:
    assert settings_file.stat().st_mode & 0o077 == 0


@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.parametrize("process", ["web", "incoming"])
def test_the_settings_of_the_page_are_all_that_a_process_needs(process: str, settings: dict[str, str]) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith((*PREFIXES, "DEPLOYMENT"))}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--fail-level", "WARNING"], env=env | environment(process, settings),
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_processes_have_the_name_and_password_of_composes_postgresql(settings: dict[str, str]) -> None:
    own = environment("postgres", settings)
    url = f"postgres://{own['POSTGRES_USER']}:{own['POSTGRES_PASSWORD']}@postgres:5432/{own['POSTGRES_DB']}"
    assert len(settings["POSTGRES_PASSWORD"]) == 40
    assert environment("web", settings)["DATABASE_URL"] == url


@pytest.mark.parametrize("lane", LANES)
def test_the_queues_of_the_settings_are_those_of_composes_sqs_server(lane: str, settings: dict[str, str]) -> None:
    base = f"{settings['AWS_ENDPOINT_URL_SQS']}/000000000000"
    assert settings[f"SQS_{lane.upper()}_QUEUE_URL"] == f"{base}/{lane}"
    assert settings[f"SQS_{lane.upper()}_DLQ_URL"] == f"{base}/{lane}-dlq"
    assert f"host = {COMPOSE_SQS}, port = 9324" in COMPOSE["configs"]["sqs"]["content"]
    assert settings["AWS_ENDPOINT_URL_SQS"] == f"http://{COMPOSE_SQS}:9324"


def test_git_ignores_the_settings() -> None:
    subprocess.run(["git", "check-ignore", "production.env", "secret.json"], cwd=CHECKOUT, check=True)


def test_what_writes_into_a_volume_may_write_there() -> None:
    # A new volume is root's, unless the image has a directory in its place, as ours and PostgreSQL's have.
    mounted = {name: service for name, service in COMPOSE["services"].items() if service.get("volumes")}
    others = {name for name in mounted if name not in {*COMMANDS, "migrate", "postgres"}}
    assert {name: mounted[name].get("user") for name in others} == {"sqs": "root"}
