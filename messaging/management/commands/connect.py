"""`manage.py connect`: connect this installation to a Meta app, step by step."""

import re
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messaging.accepting import NoConsent
from messaging.accounts import MissingToken, access_token, graph_api, known_accounts, sync_account
from messaging.contacts import InvalidPhoneNumber
from messaging.meta_events.template_sync import sync_now
from messaging.meta_setup import Finding, State, check_setup
from messaging.meta_setup.checks import WANTED_FIELDS
from messaging.meta_setup.run_checks import app_api, callback_url, handshake
from messaging.models import Message
from messaging.services import send_template_message
from messaging.states import Status
from messaging.whatsapp.errors import WhatsAppError
from messaging.whatsapp.graph import GraphApi
from messaging.whatsapp.outbound import InvalidContent

FOLLOWED_FOR_S = 90.0
ASKED_EVERY_S = 0.5
ARRIVED = {Status.DELIVERED, Status.READ}
# What to look at if the test stays in a state.
HINTS = {
    Status.ACCEPTED: "Meta took it, and no webhook says more: publish the app (docs/connect.md, step 1.5).",
    Status.SENT: "Is the telephone on, and connected?",
}
OVER = {Status.FAILED, Status.CANCELLED, Status.EXPIRED}


class Command(BaseCommand):
    """Each step may be repeated; what is already right stays."""

    help = (
        "Connect this installation to your Meta app: checks the token, stores accounts and numbers, subscribes the app "
        "and its webhook, registers a number, and sends a test template. Repeat it as often as you like."
    )

    def add_arguments(self, parser: Any) -> None:
        """What to do beyond checking and subscribing."""
        parser.add_argument(
            "--register-pin", type=pin, metavar="PIN", help="register WA_PHONE_NUMBER_ID with its six-digit PIN"
        )
        parser.add_argument(
            "--take-webhook", action="store_true", help="take the app's webhooks also where they go elsewhere today"
        )
        parser.add_argument(
            "--test-to", type=not_empty, metavar="NUMBER", help="send the template to this number and follow it"
        )
        parser.add_argument("--template", default="hello_world", help="the template of the test (hello_world)")
        parser.add_argument("--language", default="en_US", help="its language (en_US)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk through the steps; a CommandError at the first that cannot be done."""
        self._report(check_setup(), only={"token", "scopes", "app secret"})
        api = graph_api()
        try:
            app_id = api.debug_token(access_token()).app_id
            waba_ids = self._accounts(api)
            if options["register_pin"]:
                api.register(settings.WA_PHONE_NUMBER_ID, options["register_pin"])
                self._say(State.OK, "The number is registered.")
            self._webhook(app_id, options["take_webhook"])
            for waba_id in waba_ids:
                api.subscribe_app(waba_id)
                self._say(State.OK, f"The app gets the webhooks of account {waba_id}.")
        except WhatsAppError as error:
            raise CommandError(f"Meta refuses: {error.title.rstrip('.')}. Nothing after this step was done.") from None
        except (MissingToken, ValueError) as error:
            raise CommandError(f"{str(error).rstrip('.')}. Nothing after this step was done.") from None
        finally:
            api.close()
        if options["test_to"]:
            self._test(options["test_to"], options["template"], options["language"])
        self.stdout.write("")
        failed = [finding for finding in self._report(check_setup()) if finding.state is State.FAILED]
        if failed:
            raise CommandError("Not connected yet: see ✗ above, and run this again.")
        self.stdout.write("Connected." if options["test_to"] else "Connected. Try it: --test-to YOUR_NUMBER")

    def _report(self, findings: Iterator[Finding], only: set[str] | None = None) -> list[Finding]:
        """Write findings as they come. With `only`, stop after them, and raise CommandError where one has failed."""
        found = []
        for finding in findings:
            if only is not None and finding.check not in only:
                break
            found.append(finding)
            about = f" ({finding.about})" if finding.about else ""
            self._say(finding.state, f"{finding.text}{about}", finding.next_step)
        if only is not None and any(finding.state is State.FAILED for finding in found):
            raise CommandError("Correct this first, and run this again.")
        return found

    def _say(self, state: State, text: str, next_step: str = "") -> None:
        self.stdout.write(f"{state.mark} {text}")
        if next_step and state is not State.OK:
            self.stdout.write(f"    → {next_step}")

    def _accounts(self, api: GraphApi) -> list[str]:
        waba_ids = known_accounts(api)
        if not waba_ids:
            raise CommandError(
                "The access token may use no WhatsApp Business account: assign one to the system user (Business "
                "settings, Accounts, WhatsApp accounts, Add people) and generate the token again."
            )
        for waba_id in waba_ids:
            synced = sync_account(api, waba_id)
            templates = sync_now(synced.account)
            stored = f"{len(synced.numbers)} of its numbers and {templates.found} templates"
            self._say(State.OK, f"Account {waba_id} is stored, with {stored}.")
        return waba_ids

    def _webhook(self, app_id: str, takes_over: bool) -> None:
        url = callback_url()
        if not url:
            raise CommandError("Set BASE_URL to the https address under which Meta reaches this installation.")
        app = app_api(app_id)
        try:
            found = app.subscriptions(app_id)
            elsewhere = [one.callback_url for one in found if one.is_active and one.callback_url != url]
            if elsewhere and not takes_over:
                raise CommandError(
                    f"The app's webhooks go to {elsewhere[0]} today, and an app has one address. "
                    "Run this with --take-webhook to take them here, or use another app."
                )
            if not handshake(url)[1]:
                raise CommandError(
                    f"{url} does not answer Meta's handshake: start web first, with the same WA_WEBHOOK_VERIFY_TOKEN. "
                    "manage.py doctor says more."
                )
            app.subscribe(app_id, url, settings.WA_WEBHOOK_VERIFY_TOKEN, WANTED_FIELDS)
        finally:
            app.close()
        self._say(State.OK, f"The app's webhooks come to {url}.")

    def _test(self, to: str, template: str, language: str) -> None:
        try:
            message_id = send_template_message(to, template, language)
        except (InvalidPhoneNumber, InvalidContent, NoConsent, ValueError) as error:
            raise CommandError(f"The test cannot be sent: {error}") from None
        seen, until = "", time.monotonic() + FOLLOWED_FOR_S
        while time.monotonic() < until:
            row = Message.objects.only("status", "error_code", "error_title").get(pk=message_id)
            if row.status != seen:
                seen = row.status
                self._say(*_progress(row))
            if seen in ARRIVED:
                return
            if seen in OVER:
                raise CommandError(f"The test template was not delivered. Its page: {_page(row)}")
            time.sleep(ASKED_EVERY_S)
        hint = HINTS.get(Status(seen), "Do web, dispatcher and the workers run?")
        raise CommandError(f"The test template is {seen} after {FOLLOWED_FOR_S:.0f} s. {hint} Its page: {_page(row)}")


def _progress(row: Message) -> tuple[State, str]:
    """A line about the test template, with the reason if something went wrong."""
    why = f": {row.error_title}" if row.error_title else ""
    code = f" ({row.error_code})" if row.error_code else ""
    return State.FAILED if row.status in OVER else State.OK, f"The test template is {row.status}{why}{code}."


def _page(row: Message) -> str:
    return f"{settings.BASE_URL}/admin/messaging/message/{row.pk}/change/"


def not_empty(text: str) -> str:
    """A value that is not empty, as that of an unset shell variable would be."""
    if not text.strip():
        raise ArgumentTypeError("it is empty")
    return text


def pin(text: str) -> str:
    """The PIN of two-step verification. It is not repeated in the error."""
    if not re.fullmatch("[0-9]{6}", text):
        raise ArgumentTypeError("a PIN has six digits")
    return text
