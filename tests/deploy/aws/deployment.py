"""The whole pipeline on a stack's queues and bucket: each line of the Procfile as a process that signs as its role.

The processes run as in a container: from a copy of what the image holds, web through its entry point. The others begin
as forks of a warm Python, with the command that the entry point becomes (test_image.py).
"""

import compileall
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.local import announce, procfile
from deploy.local.environment import LANES, queue_variables
from deploy.local.plan import Plan
from deploy.local.postgres import from_environment
from deploy.local.readiness import answers, listens
from testkit.ports import free_port
from testkit.processes import python, shell
from tests import warm_python
from tests.deploy.aws.image import copy_context
from tests.deploy.aws.roles import Gate
from tests.deploy.aws.templates import STACK, Cloud
from tests.environment import PREFIXES
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S, eventually

PORTS = ("PORT", "SANDBOX_PORT", "FLOWER_PORT", "SQS_PORT", "POSTGRES_PORT")
COMMANDS = procfile.read(CHECKOUT / "Procfile")
PREPARE = "python manage.py prepare_local"
# The client of the tests may move dead letters.
OPERATOR = (
    "import django; django.setup(); from messaging.models import ApiClient; ApiClient.objects.update(operator=True)"
)
SANDBOX = "python -m messaging.sandbox"


class Deployment:
    """Started by `start`, with `gate` between its processes and AWS.

    source: the checkout whose code the processes run; the database is migrated by this one's.
    """

    def __init__(
        self,
        directory: Path,
        cloud: Cloud,
        outputs: Mapping[str, str],
        gate: Gate,
        source: Path = CHECKOUT,
        **variables: str,
    ) -> None:
        self._source = source
        caller = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
        for name in ("DEPLOYMENT", "DJANGO_SETTINGS_MODULE"):
            caller.pop(name, None)
        caller |= {name: str(free_port()) for name in PORTS}
        caller |= {
            "VAR_DIR": str(directory),
            "AWS_ENDPOINT_URL_SQS": gate.endpoint_url,
            "AWS_ENDPOINT_URL_S3": gate.endpoint_url,
            "MEDIA_S3_BUCKET": outputs["MediaBucketName"],
            # The output names AWS, where there is no such server: the same queue, on the local one.
            "SQS_MONITOR_QUEUE_URL": outputs["IncomingQueueUrl"].replace(f"{STACK}-incoming", f"{STACK}-monitor"),
            **{
                variable: outputs[f"{lane.capitalize()}{kind}Url"]
                for lane in LANES
                for variable, kind in zip(queue_variables(lane), ("Queue", "Dlq"), strict=True)
            },
            **variables,
        }
        self.env = Plan.read(caller, CHECKOUT).env
        self.env_file = directory / "local.env"
        self._logs = directory / "log"
        self.image = directory / "app"
        self._cloud = cloud
        self.postgres = from_environment(self.env)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Return once every process works; an AssertionError with a log when one does not."""
        copy_context(self.image, self._source)
        compileall.compile_dir(self.image, quiet=1)  # as the Dockerfile does
        self.image_files = {str(path.relative_to(self.image)) for path in self.image.rglob("*")}
        self._logs.mkdir(parents=True)
        (self.env_file.parent / "run").mkdir()
        self.postgres.start()
        # The operator prepares, by the cloud itself: no process of the pipeline may make queues.
        self.run(PREPARE, AWS_ENDPOINT_URL_SQS=self._cloud.server.endpoint_url)
        self.run_code(OPERATOR, "operator")
        self.spawn("sandbox", shell(SANDBOX))
        for name in COMMANDS:
            entry_point = [str(self.image / "deploy" / "process"), name]
            self.spawn(name, entry_point if name == "web" else shell(COMMANDS[name]), self.image)
        for name in COMMANDS:
            assert eventually(lambda name=name: self._is_ready(name)), f"{name}: {self.log(name)}"  # type: ignore[misc]
        announce.write_env_file(self.env_file.parent, self.env)

    def spawn(self, name: str, command: Sequence[str], directory: Path = CHECKOUT) -> None:
        """Start a process that signs as the role of its name."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = warm_python.Popen(
                list(command),
                env=self._as(name),
                cwd=directory,
                stdout=log,
                stderr=log,
            )

    def run(self, command: str, role: str = "operator", **variables: str) -> str:
        """Run a command to its end as a role; what it wrote. An AssertionError when it fails."""
        return self._ended(shell(command), self._as(role) | variables)

    def run_code(self, code: str, role: str) -> str:
        """The same for a Python program."""
        return self._ended(python("-c", code), self._as(role))

    @staticmethod
    def _ended(command: list[str], env: dict[str, str]) -> str:
        done = warm_python.run(command, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> None:
        """SIGTERM to each process, all at once, and SIGKILL to those that do not end; then the database."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        self.postgres.stop()

    def log(self, name: str) -> str:
        """All that a process wrote."""
        return (self._logs / f"{name}.log").read_text(errors="replace")

    def _as(self, role: str) -> dict[str, Any]:
        # Not through Plan: a local environment has one set of credentials.
        own = {
            "AWS_ACCESS_KEY_ID": role,
            "WORKER_NAME": role if role in LANES else "",
            "TMPDIR": self._directory_of(role),
        }
        return {**self.env, **own, "PYTHONDONTWRITEBYTECODE": "1"}

    def _directory_of(self, role: str) -> str:
        """As a container's, it is no other's."""
        directory = self.env_file.parent / "tmp" / role
        directory.mkdir(parents=True, exist_ok=True)
        return str(directory)

    def _is_ready(self, name: str) -> bool:
        assert self._running[name].poll() is None, f"{name}: {self.log(name)}"
        match name:
            case "web":
                return answers(int(self.env["PORT"]), "/health/live")()
            case "flower":
                return listens(int(self.env["FLOWER_PORT"]))()
            case _ if name in LANES:
                return " ready." in self.log(name)
            case _:
                return bool(self.log(name)) or name == "beat"
