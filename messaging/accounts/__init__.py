"""Business accounts with their numbers: facts from Meta, and the access token of each account."""

from messaging.accounts.facts import record_account, record_number
from messaging.accounts.sync import RATES, AccountSync, known_accounts, sync_account
from messaging.accounts.tokens import (
    MissingToken,
    access_token,
    graph_api,
    missing_token,
    token_name_of,
    token_names,
)

__all__ = [
    "RATES",
    "AccountSync",
    "MissingToken",
    "access_token",
    "graph_api",
    "known_accounts",
    "missing_token",
    "record_account",
    "record_number",
    "sync_account",
    "token_name_of",
    "token_names",
]
