"""A program in the place of `aws`: commands as the AWS CLI reads them, by botocore's models, on a local cloud.

The program hands its words to a server in the test's process, which answers what the CLI would write. A command or
option that AWS does not know is refused with a sentence. What the local cloud does not have is checked by the models
and not run.
"""

import json
import socketserver
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.model import Shape
from botocore.validate import ParamValidator

from tests.deploy.aws.templates import MAX_BODY_BYTES, Cloud, known_locally, parsed
from tests.processes import CHECKOUT

# The local RDS neither restores to a time nor renames; there is no Docker, so no task of ECS ever ends.
NOT_RUN = {("rds", "restore-db-instance-to-point-in-time"), ("rds", "modify-db-instance"), ("rds", "wait")}
# The CLI's own commands, which no model describes: how many words follow, and the options.
OWN: dict[tuple[str, str], tuple[int, frozenset[str]]] = {
    ("cloudformation", "deploy"): (
        0,
        frozenset(
            {"template-file", "stack-name", "s3-bucket", "capabilities", "no-fail-on-empty-changeset"}
            | {"parameter-overrides"}
        ),
    ),
    ("s3", "ls"): (0, frozenset()),
    ("s3", "mb"): (1, frozenset()),
    ("s3", "rb"): (1, frozenset({"force"})),
    ("sso", "login"): (0, frozenset()),
    ("ecr", "get-login-password"): (0, frozenset()),
    ("logs", "tail"): (1, frozenset({"since", "log-stream-names", "filter-pattern"})),
}


class Refused(Exception):
    """The command is none of the AWS CLI's."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. operation: botocore's name of it, or a waiter's; None for the CLI's own commands."""

    service: str
    word: str
    operation: str | None
    words: tuple[str, ...]
    options: dict[str, Any]
    query: str | None
    output: str


@cache
def _session() -> Any:
    return botocore.session.get_session()


def read(arguments: Sequence[str]) -> Command:
    """A command from its words; raises Refused."""
    try:
        service, word, *rest = arguments
    except ValueError:
        raise Refused("usage: aws SERVICE COMMAND") from None
    words, given = _split(rest)
    query, output = (" ".join(given.pop(name, ())) for name in ("query", "output"))
    if query:
        jmespath.compile(query)
    if output not in {"", "text", "json"}:
        raise Refused(f"--output {output}")
    if (service, word) in OWN:
        count, known = OWN[service, word]
        if len(words) != count or given.keys() - known:
            raise Refused(f"aws {service} {word} does not take {words} {sorted(given)}")
        return Command(service, word, None, tuple(words), given, query, output)
    operation, shape = _described(service, word, words)
    options = _values(shape, given)
    report = ParamValidator().validate(options, shape) if shape else None
    if report is not None and report.has_errors():
        raise Refused(report.generate_report())
    return Command(service, word, operation, tuple(words), options, query, output)


def _split(rest: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    words: list[str] = []
    given: dict[str, list[str]] = {}
    into = words
    for each in rest:
        if each.startswith("--"):
            into = given.setdefault(each[2:], [])
        else:
            into.append(each)
        if each == "--force":  # a switch, after which a word of the command may stand
            into = words
    return words, given


def _described(service: str, word: str, words: list[str]) -> tuple[str, Shape | None]:
    if service not in _session().get_available_services():
        raise Refused(f"aws has no service {service}")
    model = _session().get_service_model(service)
    if word == "wait":
        waiters = {xform_name(name, "-"): name for name in _session().get_waiter_model(service).waiter_names}
        if len(words) != 1 or words[0] not in waiters:
            raise Refused(f"aws {service} wait {words}")
        name = waiters[words[0]]
        operation = _session().get_waiter_model(service).get_waiter(name).operation
        return name, model.operation_model(operation).input_shape
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if word not in operations or words:
        raise Refused(f"aws {service} {word} {words}")
    return operations[word], model.operation_model(operations[word]).input_shape


def _values(shape: Any, given: dict[str, list[str]]) -> dict[str, Any]:
    members = {xform_name(name, "-"): (name, member) for name, member in (shape.members if shape else {}).items()}
    values: dict[str, Any] = {}
    for option, words in given.items():
        if option == "cli-input-json":
            values |= json.loads(_text(words))
            continue
        name, member = members.get(option) or members.get(option.removeprefix("no-")) or (None, None)
        if name is None or member is None:
            raise Refused(f"unknown option --{option}; known are {sorted(members)}")
        values[name] = not option.startswith("no-") if member.type_name == "boolean" else _value(member, words)
    return values


def _value(member: Shape, words: list[str]) -> Any:
    match member.type_name:
        case "list" if not (len(words) == 1 and words[0].startswith("[")):
            return words
        case "list" | "structure" | "map":
            return json.loads(_text(words))
        case "integer" | "long":
            return int(_text(words))
        case _:
            return _text(words)


def _text(words: list[str]) -> str:
    if len(words) != 1:
        raise Refused(f"one value is expected, not {words}")
    return Path(words[0].removeprefix("file://")).read_text() if words[0].startswith("file://") else words[0]


def run(command: Command, cloud: Cloud) -> Any:
    """What AWS answers."""
    if own := RUN.get((command.service, command.word)):
        return own(command, cloud)
    if (command.service, command.word) in NOT_RUN:
        return {}
    assert command.operation is not None
    client = cloud.client(command.service)
    if command.word == "wait":
        quickly = {"Delay": 1, "MaxAttempts": 60}
        client.get_waiter(xform_name(command.operation)).wait(**command.options, WaiterConfig=quickly)
        return ""
    answer = getattr(client, xform_name(command.operation))(**command.options)
    answer.pop("ResponseMetadata")
    return answer


def _deploy(command: Command, cloud: Cloud) -> str:
    options = command.options
    template = CHECKOUT / _text(options["template-file"])
    if len(template.read_bytes()) > MAX_BODY_BYTES:
        if "s3-bucket" not in options:
            raise Refused(f"templates of more than {MAX_BODY_BYTES} bytes must be deployed via an S3 bucket")
        cloud.client("s3").put_object(Bucket=_text(options["s3-bucket"]), Key="template", Body=template.read_bytes())
    parameters = dict(each.split("=", 1) for each in options.get("parameter-overrides", ()))
    with tempfile.TemporaryDirectory() as directory:
        known = Path(directory) / "template.json"
        known.write_text(json.dumps(known_locally(parsed(template))))
        cloud.deploy(known, _text(options["stack-name"]), **parameters)
    return ""


def _make_bucket(command: Command, cloud: Cloud) -> str:
    cloud.client("s3").create_bucket(Bucket=command.words[0].removeprefix("s3://"))
    return ""


def _log_in(_: Command, cloud: Cloud) -> str:
    (data,) = cloud.client("ecr").get_authorization_token()["authorizationData"]
    return str(data["authorizationToken"])


def _tail(command: Command, cloud: Cloud) -> str:
    (name,) = command.words
    assert cloud.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"], name
    return ""


def _tasks(command: Command, cloud: Cloud) -> Any:
    found = cloud.client("ecs").describe_tasks(**command.options)
    for task in found["tasks"]:
        task["lastStatus"] = "STOPPED"
        task["containers"][0]["exitCode"] = 0
    return found


def _nothing(_: Command, __: Cloud) -> str:
    return ""


RUN: dict[tuple[str, str], Callable[[Command, Cloud], Any]] = {
    ("cloudformation", "deploy"): _deploy,
    ("s3", "mb"): _make_bucket,
    ("ecr", "get-login-password"): _log_in,
    ("logs", "tail"): _tail,
    ("logs", "delete-log-stream"): _nothing,
    ("ecs", "describe-tasks"): _tasks,
}


def written(answer: Any, command: Command) -> str:
    """The answer as the CLI writes it."""
    if command.query and not isinstance(answer, str):
        answer = jmespath.search(command.query, answer)
    if isinstance(answer, str):
        return answer
    if command.output == "text":
        return "\t".join(map(str, answer)) if isinstance(answer, list) else str(answer)
    return json.dumps(answer, default=str)


# Reads a file's name relative to where it runs; AWS_CLI is the server's port.
PROGRAM = """
import json, os, socket, sys
words = [word.replace("file://", f"file://{os.getcwd()}/", 1) for word in sys.argv[1:]]
with socket.create_connection(("127.0.0.1", int(os.environ["AWS_CLI"]))) as server:
    server.sendall(json.dumps(words).encode() + b"\\n")
    answer = json.loads(server.makefile().read())
sys.stdout.write(answer["output"])
sys.exit(answer["error"] or 0)
"""


@contextmanager
def serving(cloud: Cloud) -> Iterator[int]:
    """Answer PROGRAM on this port of 127.0.0.1."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            output = error = ""
            try:
                command = read(json.loads(self.rfile.readline()))
                output = written(run(command, cloud), command) + "\n"
            except Refused as refused:
                error = f"aws: {refused}"
            except Exception:
                error = traceback.format_exc()
            self.wfile.write(json.dumps({"output": output, "error": error}).encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()
