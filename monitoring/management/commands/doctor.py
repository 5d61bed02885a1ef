"""`manage.py doctor`: what is wrong with the set-up, and what to do."""

import json
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.meta_setup import State, check_setup
from monitoring.setup import pipeline_findings


class Command(BaseCommand):
    """Changes nothing. The exit status is 1 where a check failed."""

    help = "Check the set-up at Meta and our own parts, read-only; say what is wrong and what to do."

    def add_arguments(self, parser: Any) -> None:
        """--json."""
        parser.add_argument("--json", action="store_true", help="one JSON object a line, for other programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write each finding as it comes."""
        failed = 0
        for finding in chain(pipeline_findings(), check_setup()):
            failed += finding.state is State.FAILED
            if options["json"]:
                row = {"check": finding.check, "state": finding.state, "about": finding.about}
                self.stdout.write(json.dumps({**row, "text": finding.text, "next_step": finding.next_step}))
                continue
            about = f" ({finding.about})" if finding.about else ""
            self.stdout.write(f"{finding.state.mark} {finding.check}: {finding.text}{about}")
            if finding.next_step and finding.state is not State.OK:
                self.stdout.write(f"    → {finding.next_step}")
        if failed:
            raise CommandError(f"{failed} of the checks failed: see ✗ above.")
        if not options["json"]:
            self.stdout.write("Everything is as it should be.")
