"""docs/deploy.md typed in page order, on a local cloud: what a command needs, an earlier one has made."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import procfile
from testkit.ports import free_port
from tests.deploy.aws import aws_cli
from tests.deploy.aws.templates import ALL_SERVICES, STACK, Cloud
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.slow("runs the commands of docs/deploy.md")

PAGE = (CHECKOUT / "docs" / "deploy.md").read_text()
SERVICE = "wa-app-service"
# In the place of other programs: they say how they were called. An editor fills in what the page leaves to it.
PROGRAMS = {
    "aws": f'exec {sys.executable} -I -S {{0}}/aws.py "$@"',
    "docker": 'echo "docker $*" >>"$CALLS"; [ "$1" != login ] || cat >/dev/null',
    "curl": 'echo "curl $*" >>"$CALLS"',
    "sleep": "exit 0",
    "edit": 'sed -i \'s/<system user.s token>/EAAG-token/; s/<app secret>/0123456789abcdef/\' "$1"; cp "$1" "$EDITED"',
}
# What is left of the page's placeholders is a fault of the page or of this table.
FILLED_IN = {"<the tag before>": "b0b0b0b", "<+your number>": "+15551230001"}


def blocks(heading: str) -> str:
    """The commands below a heading, until the next heading, with their placeholders filled in."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^##)", PAGE, flags=re.M | re.S)
    text = "".join(re.findall(r"^```sh\n(.*?)^```", section, flags=re.M | re.S))
    for placeholder, value in FILLED_IN.items():
        text = text.replace(placeholder, value)
    return text


PREPARED = "".join(re.findall(r"^export AWS_REGION.*?^\. deploy/aws\.sh[^\n]*\n", PAGE, flags=re.M | re.S))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """All services that the page asks for."""
    made = Cloud(tmp_path_factory.mktemp("cloud") / "state", free_port(), ALL_SERVICES)
    made.server.start()
    yield made
    made.server.stop()


class Shell:
    """A directory like a checkout, and the programs that the page calls."""

    def __init__(self, directory: Path, port: int) -> None:
        self.edited, self._calls, self._directory = (
            directory / "edited.json",
            directory / "calls",
            directory / "checkout",
        )
        self._directory.mkdir()
        (self._directory / "deploy").symlink_to(CHECKOUT / "deploy")
        (directory / "aws.py").write_text(aws_cli.PROGRAM)
        for name, script in PROGRAMS.items():
            (directory / name).write_text(f"#!/bin/sh\n{script.replace('{0}', str(directory))}\n")
            (directory / name).chmod(0o755)
        git = subprocess.run(["git", "rev-parse", "--absolute-git-dir"], cwd=CHECKOUT, capture_output=True, check=True)
        self._env = {
            "PATH": f"{directory}:/usr/bin:/bin",
            "HOME": str(directory),
            "GIT_DIR": git.stdout.decode().strip(),
            "AWS_CLI": str(port),
            "CALLS": str(self._calls),
            "EDITED": str(self.edited),
            "EDITOR": str(directory / "edit"),
            "TMPDIR": str(directory),
        }

    def type(self, commands: str) -> str:
        """Run commands until the first that fails; what they wrote. An AssertionError with their trace."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], env=self._env, cwd=self._directory, input="the key\n",
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def calls(self, program: str) -> list[str]:
        """How a program was called."""
        return [line for line in self._calls.read_text().splitlines() if line.startswith(f"{program} ")]

    def files(self) -> set[str]:
        """What the commands left in the checkout."""
        return {path.name for path in self._directory.iterdir()} - {"deploy"}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, cloud: Cloud) -> Iterator[Shell]:
    with aws_cli.serving(cloud) as port:
        yield Shell(tmp_path_factory.mktemp("shell"), port)


@pytest.fixture(scope="module")
def deployed(shell: Shell) -> str:
    """What the first deployment wrote."""
    return shell.type(blocks("First deployment"))


def parameters(cloud: Cloud) -> dict[str, str]:
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=SERVICE)["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}


def test_the_first_deployment_leads_to_running_services(deployed: str, cloud: Cloud) -> None:
    given = parameters(cloud)
    assert (given["Run"], given["DeletionProtection"], given["InfrastructureStack"]) == ("true", "true", STACK)
    ecs = cloud.client("ecs")
    (cluster,) = [arn for arn in ecs.list_clusters()["clusterArns"] if SERVICE in arn]
    names = {
        arn.rpartition(f"{SERVICE}-")[2] for arn in ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]
    }
    assert names == set(procfile.read(CHECKOUT / "Procfile")) - {"flower"}


def test_the_image_that_is_pushed_is_the_one_that_runs(deployed: str, shell: Shell, cloud: Cloud) -> None:
    image = parameters(cloud)["Image"]
    (repository,) = cloud.client("ecr").describe_repositories()["repositories"]
    assert image.startswith(f"{repository['repositoryUri']}:")
    build, log_in, push, *_ = shell.calls("docker")
    assert (build.split()[-2:], push) == ([image, "."], f"docker push {image}")
    assert log_in.split()[-1] == image.partition("/")[0]


def test_the_secret_has_what_the_containers_ask_for_and_no_copy_is_left(
    deployed: str, shell: Shell, cloud: Cloud
) -> None:
    arn = parameters(cloud)["PipelineSecretArn"]
    secret = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    asked = re.findall(r"\$\{PipelineSecretArn\}:(\w+)::", (CHECKOUT / "deploy" / "service.yaml").read_text())
    assert secret == json.loads(shell.edited.read_text())
    assert set(secret) == set(asked)
    assert "<" not in json.dumps(secret)
    assert shell.files() == set()


def test_the_first_user_is_told_its_password(deployed: str) -> None:
    assert re.search(r"^The admin's first user: ops, [0-9a-f]{24}$", deployed, flags=re.M)


def test_health_and_the_first_message_go_to_the_name_of_the_certificate(
    deployed: str, shell: Shell, cloud: Cloud
) -> None:
    (certificate,) = cloud.client("acm").list_certificates()["CertificateSummaryList"]
    health, send = shell.calls("curl")
    assert f"https://{certificate['DomainName']}/health" in health
    assert f"https://{certificate['DomainName']}/messaging/send -H Authorization: Bearer the key" in send


@pytest.mark.parametrize("heading", ["Update", "Roll back", "Rotate secrets", "Restore the database"])
def test_the_commands_of_daily_life_run_in_a_new_shell(heading: str, deployed: str, shell: Shell) -> None:
    shell.type(PREPARED + blocks(heading))


def test_removing_leaves_neither_stack(deployed: str, shell: Shell, cloud: Cloud) -> None:
    shell.type(PREPARED + blocks("Remove"))
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks if not stack["StackStatus"].startswith("DELETE")] == []


IN_SENTENCES = sorted(
    {
        (page.name, line)
        for page in sorted((CHECKOUT / "docs").glob("*.md"))
        for line in re.findall(r"`(aws [a-z0-9-]+ [^`]+)`", page.read_text())
    }
)


@pytest.mark.parametrize(("page", "line"), IN_SENTENCES, ids=lambda each: each[:60])
def test_a_command_in_a_sentence_is_one_of_the_aws_cli(page: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text('{"RedrivePolicy": "{}"}')
    words = shlex.split(re.sub(r"\$\([^)]*\)|<[^>]*>", "x", line).replace("file://", f"file://{tmp_path}/"))
    if words[1:] != ["ecs", "wait", "tasks-stopped"]:
        aws_cli.read(words[1:])


REFUSED: dict[str, list[str]] = {
    "a service that AWS does not have": ["sqss", "list-queues"],
    "a command that it does not have": ["sqs", "list-queue"],
    "an option that the command does not have": ["sqs", "list-queues", "--prefix", "x"],
    "an option that is missing": ["sqs", "set-queue-attributes", "--queue-url", "x"],
    "a waiter that it does not have": ["rds", "wait", "db-available"],
    "a query that cannot be read": ["sqs", "list-queues", "--query", "x[", "--output", "text"],
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_the_program_in_the_place_of_the_cli_refuses(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"."):
        aws_cli.read(words)
