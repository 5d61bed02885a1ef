"""The commands in README and docs/deploy.md fit the templates."""

import re

import pytest

from tests.deploy.aws.templates import DEPLOY, INFRASTRUCTURE, parsed
from tests.processes import CHECKOUT

LINE = (
    "aws cloudformation deploy --template-file deploy/infrastructure.yaml --stack-name wa-app-sqs "
    "--capabilities CAPABILITY_IAM"
)
SERVICE = parsed(DEPLOY / "service.yaml")
PAGE = (CHECKOUT / "docs" / "deploy.md").read_text()


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.md"])
def test_the_line_that_makes_the_queues_is_on_the_page(page: str) -> None:
    assert f"\n{LINE}\n" in (CHECKOUT / page).read_text()


def test_every_parameter_that_the_page_sets_is_one_of_the_template() -> None:
    commands = [line for line in PAGE.replace("\\\n", " ").splitlines() if line.startswith("deploy_service ")]
    given = {name for line in commands for name in re.findall(r"\b([A-Z]\w+)=", line)}
    assert given and given <= set(SERVICE["Parameters"])


def test_the_first_deployment_gives_every_parameter_without_a_default() -> None:
    (first,) = re.findall(r"^deploy_service Run=false .*Image=.*(?:\n .*)*", PAGE, flags=re.M)
    needed = {name for name, parameter in SERVICE["Parameters"].items() if "Default" not in parameter}
    assert needed <= set(re.findall(r"\b([A-Z]\w+)=", first))


def test_every_parameter_in_a_table_of_the_page_exists() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", PAGE, flags=re.M)
    named = {name for row in rows for name in re.findall(r"`([A-Z][a-z]\w+)", row)}
    assert named <= {*SERVICE["Parameters"], *parsed(INFRASTRUCTURE)["Parameters"]}


def test_every_output_that_the_page_asks_for_exists() -> None:
    assert set(re.findall(r"\$\(output (\w+)\)", PAGE)) <= set(SERVICE["Outputs"])
