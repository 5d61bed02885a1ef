"""A local CloudFormation with the first stack on it."""

from collections.abc import Iterator

import pytest

from testkit.ports import free_port
from tests.deploy.aws.templates import INFRASTRUCTURE, Cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An empty one."""
    made = Cloud(tmp_path_factory.mktemp("cloud") / "state", free_port())
    made.server.start()
    yield made
    made.server.stop()


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> dict[str, str]:
    """The outputs of the first stack, which is on that cloud."""
    return cloud.deploy(INFRASTRUCTURE)
