"""A process that lacks a variable ends with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import procfile
from testkit.processes import CHECKOUT, shell
from tests import warm_python
from tests.waiting import PATIENCE_S
from tests.waproject.test_settings import PRODUCTION

COMMANDS = procfile.read(CHECKOUT / "Procfile")
FAULTS = {
    "a missing secret": ({"WA_ACCESS_TOKEN": ""}, "WA_ACCESS_TOKEN"),
    "no region": ({"AWS_REGION": ""}, "AWS_REGION"),
    "no database": ({"DATABASE_URL": ""}, "DATABASE_URL"),
    "a malformed number": ({"SQS_WAIT_TIME_S": "soon"}, "SQS_WAIT_TIME_S"),
    "a malformed list": ({"WA_BACK_OFF_S": "2,x"}, "WA_BACK_OFF_S"),
    "a malformed address of the database": ({"DATABASE_URL": "postgres://a:b@c:port/d"}, "DATABASE_URL"),
    "a malformed table": ({"WA_CODE_WAITS": "2=30,x"}, "WA_CODE_WAITS"),
    "an unsafe address": ({"AWS_ENDPOINT_URL_SQS": "http://sqs"}, "AWS_ENDPOINT_URL_SQS"),
    "a queue without a DLQ": ({"SQS_INCOMING_DLQ_URL": ""}, "SQS_INCOMING_DLQ_URL"),
}


def production(tmp_path: Path, **changes: str) -> dict[str, str]:
    """The environment of a process in production; an empty value unsets a variable."""
    paths = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TMPDIR": str(tmp_path),
        "PORT": "0",
        "WEB_WORKERS": "1",
    }
    return {name: value for name, value in {**os.environ, **paths, **PRODUCTION, **changes}.items() if value}


def started(command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The end of a process."""
    return warm_python.run(shell(command), env=env, timeout=PATIENCE_S)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_process_names_the_missing_variable(name: str, tmp_path: Path) -> None:
    done = started(COMMANDS[name], production(tmp_path, WA_APP_SECRET=""))
    assert done.returncode != 0
    assert "WA_APP_SECRET" in done.stderr and "docs/settings.md" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_a_sentence_of_check_deploy(fault: str, tmp_path: Path) -> None:
    change, variable = FAULTS[fault]
    done = started("python manage.py check --deploy", production(tmp_path, **change))
    assert done.returncode != 0
    assert variable in done.stderr
    assert "Traceback" not in done.stderr


def test_check_deploy_has_no_warning_with_a_complete_configuration(tmp_path: Path) -> None:
    secret = "".join(f"{number:02}aB" for number in range(20))
    env = production(tmp_path, DJANGO_SECRET_KEY=secret, MEDIA_S3_BUCKET="files")
    done = started("python -W error manage.py check --deploy", env)
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr
