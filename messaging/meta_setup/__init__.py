"""The set-up at Meta: what is checked of token, account, numbers and webhook, and how it is connected."""

from messaging.meta_setup.checks import Finding, State
from messaging.meta_setup.refresh import is_connected, refresh_accounts
from messaging.meta_setup.run_checks import check_setup

__all__ = ["Finding", "State", "check_setup", "is_connected", "refresh_accounts"]
