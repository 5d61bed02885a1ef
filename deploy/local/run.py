"""`make run`: starts everything on this machine, prints when it is ready, and stops it on a signal."""

import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.local import LocalError
from deploy.local.plan import Plan, run_lock
from deploy.local.session import Session
from deploy.local.supervisor import STOP_SECONDS

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """A signal to stop. Not an Exception, so that no handler takes it for a failure."""


def main() -> int:
    """Run until a signal. Returns the exit status: 0 after a signal."""
    # Set explicitly: a shell starts background jobs with SIGINT ignored.
    for number in SIGNALS:
        signal.signal(number, _stop)
    try:
        plan = Plan.read(os.environ, Path.cwd())
        with run_lock(plan.var):
            _serve(plan)
    except Stop:
        return 0
    except LocalError as error:
        print(error, file=sys.stderr, flush=True)
    except Exception as error:  # the terminal gets one sentence, the log the traceback
        sentence = f"make run failed unexpectedly ({type(error).__name__}: {error})"
        print(f"{sentence}{_kept_traceback()}", file=sys.stderr, flush=True)
    return 1


def _serve(plan: Plan) -> None:
    session = Session(plan)
    try:
        session.start()
        session.watch()
    except Stop as stop:
        # After an error only the error is printed.
        session.say(stopping(str(stop)))
        raise
    finally:
        try:
            _ignore_signals()
        finally:  # also where a signal came just before
            session.stop()


def stopping(reason: str) -> str:
    """The message at a stop: what it waits for, and for how long at most."""
    limit = sum(STOP_SECONDS.values())
    return f"stopping ({reason}): waiting up to {limit} s for workers to finish what they have begun"


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    # Ignore a second Ctrl-C: it must not leave half of the processes running.
    _ignore_signals()
    raise Stop(signal.Signals(number).name)


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _kept_traceback() -> str:
    """Where the traceback is; a full disk or a directory that cannot be written has none."""
    log = Path(os.environ.get("VAR_DIR") or "var").absolute() / "log" / "run.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc())
    except OSError as error:
        return f"; the traceback cannot be stored in {log} ({error.strerror})"
    return f": see {log}"


if __name__ == "__main__":
    sys.exit(main())
