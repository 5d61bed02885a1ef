"""Python processes whose packages are imported already: forks of one warm interpreter, otherwise as usual.

A process that imports Django, Celery and boto3 anew takes four times the CPU, and the tests start some 200. Imported
beforehand is only what reads no setting and none of the project's modules that know Django; each process has its own
environment, directory, output and session, and is a child of the test's process. In a directory with a copy of the
project it has that copy's modules. `test_end_to_end.py`, `make bench` and `make chaos` start theirs cold.
"""

import atexit
import ctypes
import gc
import importlib
import inspect
import json
import os
import re
import runpy
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "boto3",
    "botocore.session",
    "celery.app.control",
    "celery.app.routes",
    "celery.bin.celery",
    "celery.worker.consumer",
    "django.contrib.admin.checks",
    "django.contrib.auth.hashers",
    "django.contrib.postgres.operations",
    "django.contrib.sessions.middleware",
    "django.core.handlers.wsgi",
    "django.core.management.commands.check",
    "django.core.serializers.json",
    "django.db.backends.postgresql.base",
    "django.db.migrations.autodetector",
    "django.forms",
    "django.views.generic",
    "django_filters.rest_framework",
    "drf_spectacular.utils",
    "environ",
    "gunicorn.app.wsgiapp",
    "kombu.transport.SQS",
    "messaging.whatsapp.client",
    "messaging.whatsapp.inbound",
    "phonenumbers",
    "requests",
    "rest_framework.fields",
    "structlog",
    "whitenoise.middleware",
)
# A line of the Procfile that a shell would only have to expand.
SIMPLE = re.compile(r"exec (?P<program>python|celery|gunicorn) [^;&|<>`()#]*")
# Read when an interpreter starts: where they differ from ours, the process starts cold.
STARTING = ("PYTHONPATH", "PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONPYCACHEPREFIX")
PR_SET_CHILD_SUBREAPER = 36
MAX_JOB_BYTES = 150_000
# What subprocess.Popen starts a process with, its files made.
_MADE = inspect.signature(subprocess.Popen._execute_child)  # type: ignore[attr-defined]


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen`, whose Python commands, or the Procfile's lines in a shell, begin as forks.

    allowed: whether this test may start them, which `make test` leaves to `make slowtest`. Meta's sandbox may start
    everywhere: it is a server that tests use, as PostgreSQL is.
    """

    allowed = True
    servers = ("-m", "messaging.sandbox")

    def _execute_child(self, args: Any, *others: Any) -> None:
        given = _MADE.bind(self, args, *others).arguments
        environment = dict(os.environ if given["env"] is None else given["env"])
        arguments = None if given["shell"] or given["pass_fds"] else python_arguments(args, environment)
        if arguments is None:
            super()._execute_child(args, *others)  # type: ignore[misc]
            return
        assert self.allowed or tuple(arguments[:2]) == self.servers, "a test that starts processes has the mark `slow`"
        ends = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        files = [number if end == -1 else end for number, end in enumerate(ends)]
        directory = str(given["cwd"] or Path.cwd())
        self.pid = _warm_server().fork(arguments, environment, directory, files, given["start_new_session"])
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[name] for name in pipes))  # type: ignore[attr-defined]


def run(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path = CHECKOUT, timeout: float | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, in a directory; `env` is its whole environment. What it wrote is text."""
    with Popen(
        list(command), env=env, cwd=cwd, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def python_arguments(command: Any, env: Mapping[str, str]) -> list[str] | None:
    """What follows `python` in a command, if a fork can do the same."""
    if sys.platform != "linux" or any(env.get(name) != os.environ.get(name) for name in STARTING):
        return None
    words = [str(word) for word in command]
    if words[:2] == ["/bin/sh", "-c"] and len(words) == 3 and SIMPLE.fullmatch(words[2]):
        words = _expanded(words[2].removeprefix("exec "), env)
        words = [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]
    if words[0] != sys.executable or len(words) == 1 or (words[1].startswith("-") and words[1] not in {"-m", "-c"}):
        return None
    return words[1:]


def _expanded(line: str, env: Mapping[str, str]) -> list[str]:
    """The words that a shell makes of a line."""
    if "$" not in line:
        return shlex.split(line)
    printed = subprocess.run(["/bin/sh", "-c", f"printf '%s\\0' {line}"], env=env, capture_output=True, check=True)
    return printed.stdout.decode().split("\0")[:-1]


@cache
def _warm_server() -> "_WarmServer":
    return _WarmServer()


class _WarmServer:
    """The warm interpreter, a child of this process. Ends when its socket does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Whatever reads settings too early fails at once.
        env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_python", str(theirs.fileno())],
            cwd=CHECKOUT, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        atexit.register(self._end)

    def fork(
        self, arguments: Sequence[str], env: Mapping[str, str], directory: str, files: list[int], new_session: bool
    ) -> int:
        """The pid of `python <arguments>`, a child of this process."""
        job = {"arguments": list(arguments), "env": dict(env), "directory": directory, "new_session": new_session}
        # Its parent ends at once; it becomes a child of the nearest process that adopts orphans.
        with self._lock, _Adopting():
            socket.send_fds(self._socket, [json.dumps(job).encode()], files)
            return int(self._socket.recv(64))

    def _end(self) -> None:
        self._socket.close()
        self._process.wait()


class _Adopting:
    """While this process adopts the orphans among its descendants."""

    def __enter__(self) -> None:
        self._set(1)

    def __exit__(self, *_: object) -> None:
        self._set(0)

    @staticmethod
    def _set(value: int) -> None:
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


def serve(channel: socket.socket) -> None:
    """Fork for each job, and answer with its pid."""
    for name in PACKAGES:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        data, files, _, _ = socket.recv_fds(channel, MAX_JOB_BYTES, 3)
        if not data:
            return
        pid = _fork(channel, json.loads(data), files)
        for file in files:
            os.close(file)
        channel.send(str(pid).encode())


def _fork(channel: socket.socket, job: dict[str, Any], files: list[int]) -> int:
    """Fork twice, so that the second child is an orphan when it begins; its pid."""
    report, answer = os.pipe()
    gate, held = os.pipe()
    middle = os.fork()
    if middle == 0:
        pid = os.fork()
        if pid == 0:
            os.close(held)
            os.read(gate, 1)  # ends with the parent
            channel.detach()  # or it would close its number, by then another file's
            _become(files=files, **job)
        os.write(answer, str(pid).encode())
        os._exit(0)
    for end in (answer, gate, held):
        os.close(end)
    pid = int(os.read(report, 64))
    os.close(report)
    os.waitpid(middle, 0)
    return pid


def _become(arguments: list[str], env: dict[str, str], directory: str, files: list[int], new_session: bool) -> NoReturn:
    """Become `python <arguments>`, and end with it."""
    if new_session:
        os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, 256)
    # The streams of before know of another kind of file. These end with the process.
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    if Path(directory) != CHECKOUT:
        _forget_modules(directory)
    try:
        _execute(arguments, directory)
        status: object = 0
    except SystemExit as end:
        status = end.code
    _end(status)


def _execute(arguments: list[str], directory: str) -> None:
    kind, *rest = arguments
    if kind == "-m":
        sys.argv, sys.path[0] = rest, directory
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv, sys.path[0] = ["-c", *rest[1:]], ""
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)  # noqa: S102 - the test's own program
    else:
        sys.argv, sys.path[0] = arguments, str(Path(kind).resolve().parent)
        runpy.run_path(kind, run_name="__main__")


def _forget_modules(directory: str) -> None:
    """Forget what a directory has a copy of, such as that of an image."""
    copied = {path.name for path in Path(directory).iterdir() if path.is_dir()}
    for name in [name for name in sys.modules if name.partition(".")[0] in copied]:
        del sys.modules[name]


def _end(status: object) -> NoReturn:
    """End as an interpreter does, but do not free its objects one by one: each page of them would be copied."""
    if status is not None and not isinstance(status, int):
        print(status, file=sys.stderr)  # noqa: T201 - as the interpreter does
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit((status or 0) & 0xFF)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
