"""`manage.py loadtest`: a load test of a staging installation whose Cloud API is a sandbox."""

import json
import math
import sys
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

if TYPE_CHECKING:
    from testkit.loadtest.report import Findings, Witness
    from testkit.loadtest.run import Load

# Meta's highest pace of a number; and the most messages that a ledger in memory and pages of 200 can account for.
MOST_PER_S, MOST_REQUESTS = 1000, 200_000
MOST_SECONDS = 24 * 3600
NOT_IN_THE_IMAGE = (
    "loadtest runs from a checkout of the repository, not from the image, which holds no test code: "
    "make lint, then .venv/bin/python manage.py loadtest (docs/deploy.md)."
)


def number(most: float) -> Any:
    """The parser of a number above 0 and up to this one."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value <= most:
            raise ArgumentTypeError(f"{text!r} is not a number above 0 and up to {most:g}")
        return value

    return parse


class Command(BaseCommand):
    """Exits with 0 if each message was sent once and each webhook stored once, without an error."""

    help = (
        "Send messages and webhooks to a staging installation at a fixed rate, and judge by its sandbox's ledger. "
        "API_KEY and WA_APP_SECRET of the environment are the target's."
    )
    # Neither database nor queues of this environment are used.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--target", required=True, metavar="URL", help="where the installation answers")
        parser.add_argument("--ledger", required=True, metavar="URL", help="the sandbox: the target's WA_GRAPH_URL")
        meaning = "sends a second, and as many webhooks"
        parser.add_argument("--rate", required=True, type=number(MOST_PER_S), metavar="N", help=meaning)
        parser.add_argument("--seconds", required=True, type=number(MOST_SECONDS), metavar="N", help="how long")
        meaning = "seconds to wait for the last messages, 60"
        parser.add_argument("--settle", default=60.0, type=number(MOST_SECONDS), metavar="N", help=meaning)
        meaning = "a directory for loadtest.json and loadtest.svg, var"
        parser.add_argument("--output", default=settings.BASE_DIR / "var", type=Path, metavar="DIR", help=meaning)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError if the target is not a sandbox's, or a message was lost, doubled or refused."""
        try:
            from testkit.load.sandbox import Sandbox
            from testkit.loadtest.installation import Access, Installation, Refused, address, sandbox_number
            from testkit.loadtest.report import Witness, failures, lines_of, report
            from testkit.loadtest.run import Plan, new_campaign, run
        except ModuleNotFoundError as error:
            raise CommandError(NOT_IN_THE_IMAGE) from error
        plan = Plan(options["rate"], options["seconds"])
        if plan.count > MOST_REQUESTS:
            raise CommandError(f"--rate times --seconds must be at most {MOST_REQUESTS:,}, and is {plan.count:,}.")
        if not settings.LOCAL_API_KEY:
            raise CommandError("API_KEY must be set to an API key of the target (manage.py create_api_key).")
        _refuse_unwritable(options["output"])
        try:
            url = address("--target", options["target"])
            ledger = address("--ledger", options["ledger"])
            access = Access(url, settings.LOCAL_API_KEY, settings.WA_APP_SECRET)
            installation = Installation(access)
            number_id = sandbox_number(installation, ledger)
            witness = Witness(installation, Sandbox(ledger))
        except Refused as reason:
            raise CommandError(str(reason)) from None
        started = datetime.now(UTC).isoformat(timespec="seconds")
        load = run(plan, access, number_id, new_campaign(), sys.stderr)
        about = {"target": url, "ledger": ledger, "started": started, "rate": plan.rate, "seconds": plan.seconds}
        findings, unknown = self._findings(witness, load, options["settle"])
        found = report(load, findings, about)
        for line in lines_of(found):
            self.stdout.write(line)
        if reasons := [*unknown, *failures(found), *self._write(options["output"], found, load)]:
            raise CommandError(f"The load test failed: {'; '.join(reasons)}.")

    def _findings(self, witness: "Witness", load: "Load", seconds: float) -> "tuple[Findings | None, list[str]]":
        """What became of the load, and why that is not known. Ctrl-C ends the waiting, a second one the reading."""
        from testkit.loadtest.installation import Refused

        try:
            try:
                self.stderr.write("Waiting until every message is settled; Ctrl-C reports at once.")
                witness.settle(load, seconds)
            except KeyboardInterrupt:
                pass
            return witness.findings(load), []
        except Refused as reason:
            return None, [str(reason).rstrip(".")]
        except KeyboardInterrupt:
            return None, ["a second Ctrl-C ended the reading of the ledger"]

    def _write(self, directory: Path, found: dict[str, Any], load: "Load") -> list[str]:
        """Write the files. Why they are not written; empty if they are."""
        from testkit.loadtest import plot

        drawn = plot.draw({"API sends": load.sends, "Webhooks": load.webhooks})
        try:
            (directory / "loadtest.json").write_text(json.dumps(found, indent=2) + "\n")
            (directory / "loadtest.svg").write_text(drawn)
        except OSError as error:  # the disk is full
            return [f"the report cannot be written to {directory} ({error.strerror})"]
        self.stdout.write(f"Report: {directory / 'loadtest.json'}, {directory / 'loadtest.svg'}")
        return []


def _refuse_unwritable(directory: Path) -> None:
    """Make the directory before the load, which may take a day. Raises CommandError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise CommandError(f"--output {directory} cannot be written: {error.strerror}.") from None
