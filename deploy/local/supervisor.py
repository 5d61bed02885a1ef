"""Runs the programs under supervisord: writes its configuration, starts it, calls it over its Unix socket."""

import http.client
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from deploy.local import LocalError
from deploy.local.credentials import write_private
from deploy.local.programs import Program, log_file
from deploy.local.server import last_line

# sun_path has 104 bytes on macOS and 108 on Linux, and supervisord binds a longer name first: SOCKET.<pid>.
LONGEST_SOCKET_PATH = 90
SOCKET = "supervisor.sock"
# All programs of a group stop at once, the groups in turn; together they must take less than ten seconds.
STOP_SECONDS = {"app": 4, "parts": 3}
PRIORITY = {"parts": 1, "app": 2}  # started in this order, stopped in the opposite one

GLOBAL = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
nodaemon=true
silent=true
logfile={log_dir}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={run_dir}/supervisord.pid
umask=022

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
GROUP = """
[group:{name}]
programs={programs}
priority={priority}
"""
# No start-up time is asked for: a program that is killed again and again is started again at once each time, without
# a growing delay. Whether it works is asked of the program itself. Only the main process gets the stop signal, as in
# production: Celery's and gunicorn's children would die of it in the middle of their work.
PROGRAM = """
[program:{name}]
command=/bin/sh -c {command}
process_name={process_name}
numprocs={processes}
numprocs_start=1
environment=WORKER_NAME="{name}-%(process_num)d"
directory={directory}
autostart={autostart}
autorestart=true
startsecs=0
startretries=1000000
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


class Supervisor:
    """The supervisord of one VAR_DIR."""

    def __init__(self, var: Path, checkout: Path) -> None:
        self.run_dir, self.log_dir, self._checkout = var / "run", var / "log", checkout
        self._config = self.run_dir / "supervisord.conf"
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, programs: Iterable[Program]) -> None:
        """Write the configuration. It holds no secret: those reach the programs through the environment."""
        self.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        values = {"socket": self._new_socket(), "log_dir": self.log_dir, "run_dir": self.run_dir}
        chosen = list(programs)
        sections = [GLOBAL.format(**{name: _escape(str(value)) for name, value in values.items()})]
        for group in dict.fromkeys(program.group for program in chosen):
            names = ",".join(program.name for program in chosen if program.group == group)
            sections.append(GROUP.format(name=group, programs=names, priority=PRIORITY[group]))
        sections += [self._section(program) for program in chosen]
        write_private(self._config, "".join(sections))

    def start(self, env: Mapping[str, str]) -> None:
        """Start supervisord, and with it the parts; return when it answers."""
        errors = self.log_dir / "supervisord.err"
        with errors.open("wb") as output:
            # Its own session, so that a terminal's Ctrl-C reaches only us, who stop everything in order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self._config)],
                env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while self.pid() is None:
            if self.ended() or time.monotonic() > deadline:
                raise LocalError(f"supervisord did not start: {last_line(errors)}")
            time.sleep(0.05)

    def pid(self) -> int | None:
        """The process id of this VAR_DIR's running supervisord, whichever run started it."""
        try:
            return int(self._call("getPID"))
        except LocalError:
            return None

    def started(self) -> bool:
        """Whether this object started a supervisord, even one that has ended since."""
        return self._process is not None

    def ended(self) -> bool:
        """Whether the supervisord that this object started has ended."""
        return self._process is None or self._process.poll() is not None

    def start_group(self, group: str) -> None:
        self._call("startProcessGroup", group, False)

    def processes(self) -> dict[str, dict[str, Any]]:
        """Each process by its name: `statename`, `pid`, `start` and `now` in seconds, among others."""
        return {str(info["name"]): info for info in self._call("getAllProcessInfo")}

    def stop(self, timeout: float = 9) -> None:
        """Stop every program and supervisord itself."""
        if self._process is None or self.ended():
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def remove_socket(self) -> None:
        """Remove the socket, and its directory if VAR_DIR's path was too long for a socket."""
        path = Path(self._socket() or self.run_dir / SOCKET)
        # One that was killed as it started left SOCKET.<pid>, which it binds first.
        for each in path.parent.glob(f"{SOCKET}*"):
            each.unlink(missing_ok=True)
        if path.parent != self.run_dir:
            with suppress(OSError):  # it is gone, or holds what is not ours
                path.parent.rmdir()

    def _section(self, program: Program) -> str:
        many = program.processes > 1
        name = "%(program_name)s-%(process_num)d" if many else "%(program_name)s"
        return PROGRAM.format(
            name=program.name,
            command=_command(program),
            process_name=name,
            processes=program.processes,
            directory=_escape(str(self._checkout)),
            autostart="true" if program.group == "parts" else "false",
            stop_signal=program.stop_signal.name.removeprefix("SIG"),
            stop_seconds=STOP_SECONDS[program.group],
            # supervisord expands the name of a log twice.
            log=log_file(Path(_escape(_escape(str(self.log_dir)))), name),
        )

    def _new_socket(self) -> Path:
        path = self.run_dir / SOCKET
        if len(str(path).encode()) > LONGEST_SOCKET_PATH:
            path = Path(tempfile.mkdtemp(prefix="waproject-")) / SOCKET
        return path

    def _socket(self) -> str | None:
        try:
            found = re.search(r"^file=(.+)$", self._config.read_text(), re.MULTILINE)
        except OSError:
            return None
        return found[1].replace("%%", "%") if found else None

    def _call(self, method: str, *arguments: object) -> Any:
        path = self._socket()
        if path is None:
            raise LocalError("supervisord was never configured here.")
        with xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(path)) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
                raise LocalError(f"supervisord does not answer: {error}") from None


def _command(program: Program) -> str:
    if re.search(r"\s[;#]", program.command):
        raise LocalError(f"The command of {program.name} holds ' ;' or ' #', which supervisord takes for a comment.")
    return _escape(shlex.quote(f"exec {program.command}"))


def _escape(value: str) -> str:
    return value.replace("%", "%%")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return cast(http.client.HTTPConnection, _UnixConnection(self._path))
