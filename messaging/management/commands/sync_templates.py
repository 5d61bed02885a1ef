"""`manage.py sync_templates`: accounts, numbers and templates from Meta, at once."""

import time
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.accounts import MissingToken, token_names
from messaging.meta_events.template_sync import describe, sync_accounts, sync_now
from messaging.models import Account
from messaging.whatsapp.errors import WhatsAppError

_FAILURES = (WhatsAppError, MissingToken, ValueError)


class Command(BaseCommand):
    """Exit status 1 if an account could not be synced; the others are."""

    help = "Ask Meta for accounts, numbers and templates, and store them. `deliver` syncs the templates every hour."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync all accounts. Raises CommandError."""
        failed = [name for token_name in token_names() for name in self._find_accounts(token_name)]
        accounts = list(Account.objects.all())
        failed += [account.waba_id for account in accounts if not self._sync(account)]
        if failed:
            raise CommandError(f"Not synced: {', '.join(dict.fromkeys(failed))}")
        if not accounts:
            raise CommandError("No account is known: the token is granted for none, and no webhook has named one.")

    def _find_accounts(self, token_name: str) -> list[str]:
        """What was not found: the token's accounts, or those of them that Meta refuses."""
        try:
            refused: Mapping[str, Exception] = sync_accounts(token_name)
        except _FAILURES as error:
            refused = {token_name: error}
        for name, refusal in refused.items():
            self.stderr.write(f"{name}: {describe(refusal)}")
        return list(refused)

    def _sync(self, account: Account) -> bool:
        began = time.monotonic()
        try:
            done = sync_now(account, self._progress)
        except _FAILURES as error:
            self.stderr.write(f"{account.waba_id}: {describe(error)}")
            return False
        self.stdout.write(
            f"{account.waba_id}: {done.found} templates in {time.monotonic() - began:.1f} s; {done.new} new, "
            f"{done.changed} changed, {done.removed} removed"
        )
        return True

    def _progress(self, count: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"{count} templates …", ending="\r")
