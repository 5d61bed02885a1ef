"""One run of the pipeline: starts the parts, prepares database and queues, starts the app, and stops everything."""

import subprocess
import time
from contextlib import suppress
from pathlib import Path

from deploy.local import LocalError, announce, ports
from deploy.local.orphans import end_orphans
from deploy.local.plan import Plan, already_running
from deploy.local.postgres import Postgres, from_environment
from deploy.local.readiness import Check, Readiness, answers, listens
from deploy.local.sqs import Sqs
from deploy.local.supervisor import Supervisor

# A busy machine with cold disks needs minutes. A program that exits is reported at once, whatever these say.
PARTS_TIMEOUT = 120
APP_TIMEOUT = 300


class Session:
    """Starts, watches and stops the programs of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._supervisor = Supervisor(plan.var, plan.checkout)
        self._pids: dict[str, int] = {}
        self._is_prepared = True

    def start(self) -> None:
        """Start everything and print its addresses. Raises LocalError if a program does not become ready."""
        plan = self._plan
        plan.env_file.unlink(missing_ok=True)
        running = self._supervisor.pid()
        if running is not None:
            raise LocalError(already_running(running))
        ports.refuse_taken(plan.ports)
        self._supervisor.configure([*plan.parts, *plan.app])
        self._readiness = Readiness(self._supervisor, self.say)
        self.say("starting")
        self._supervisor.start(plan.env)
        self._readiness.wait(self._part_checks(), PARTS_TIMEOUT)
        self._prepare()
        self._supervisor.start_group("app")
        self._readiness.wait(self._app_checks(), APP_TIMEOUT)
        announce.write_env_file(plan.var, plan.env)
        self.say(announce.table(plan.env, plan.env_file, self._supervisor.log_dir))
        self.say("ready (Ctrl-C stops everything)")

    def watch(self) -> None:
        """Report restarts by supervisord. Raises LocalError once supervisord itself has ended."""
        while True:
            try:
                processes = self._supervisor.processes()
            except LocalError:
                processes = {}
            if self._supervisor.ended():
                raise LocalError("supervisord ended unexpectedly: everything is stopped.")
            for name, info in processes.items():
                self._note(name, int(info["pid"]))
            if not self._is_prepared:
                self._prepare_again()
            time.sleep(0.5)

    def stop(self) -> None:
        """Stop everything that this run started, also processes without a supervisor."""
        self._plan.env_file.unlink(missing_ok=True)
        if self._supervisor.started():
            self._supervisor.stop()
            end_orphans(self._plan.var, self._pids.values())
            self._supervisor.remove_socket()
            self.say(f"stopped; the data stays in {_short(self._plan.var)}/")

    def say(self, text: str) -> None:
        """Print without buffering; ignores a closed terminal."""
        try:
            print(text, flush=True)
        except OSError:
            return

    def _part_checks(self) -> dict[str, Check]:
        env = self._plan.env
        checks: dict[str, Check] = {
            "postgres": lambda: self._database().is_ready(),
            "sqs": Sqs(self._plan.var / "sqs", int(env["SQS_PORT"])).is_ready,
            "sandbox": listens(int(env["SANDBOX_PORT"])),
        }
        return self._readiness.checks(self._plan.parts, checks)

    def _app_checks(self) -> dict[str, Check]:
        env = self._plan.env
        checks = {"web": answers(int(env["PORT"]), "/health/live"), "flower": listens(int(env["FLOWER_PORT"]))}
        return self._readiness.checks(self._plan.app, checks)

    def _database(self) -> Postgres:
        return from_environment(self._plan.env)

    def _prepare(self) -> None:
        """Migrate, and create the queues, the log-in and the API key. Idempotent."""
        log = self._supervisor.log_dir / "prepare.log"
        try:
            done = subprocess.run(
                ["python", "manage.py", "prepare_local"],
                env=self._plan.env, cwd=self._plan.checkout, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", check=False, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise LocalError(f"The database and the queues cannot be prepared: {error.strerror}.") from None
        with suppress(OSError):  # the disk is full
            log.write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
            raise LocalError(f"The database and the queues cannot be prepared: {lines[-1].strip()} (see {_short(log)})")

    def _note(self, name: str, pid: int) -> None:
        """Report a restarted process. After a restart of the SQS server, create the queues again."""
        before, self._pids[name] = self._pids.get(name, pid), pid or self._pids.get(name, 0)
        if pid in (0, before) or before == 0:
            return
        self.say(f"{name} ended and was started again")
        if name == "sqs":
            self._is_prepared = False

    def _prepare_again(self) -> None:
        """Wait for the servers and prepare them. If that fails, say why: the next round tries again."""
        checks = self._part_checks()
        try:
            self._readiness.wait({name: checks[name] for name in ("postgres", "sqs") if name in checks}, PARTS_TIMEOUT)
            self._prepare()
        except LocalError as error:
            self.say(f"{error}; trying again")
        else:
            self._is_prepared = True


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
