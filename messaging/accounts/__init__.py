"""Business accounts and their numbers: facts from Meta, and the access token of each account."""

from messaging.accounts.sync import AccountSync, known_accounts, sync_account
from messaging.accounts.tokens import MissingToken, access_token, graph_api, missing_token, token_name_of

__all__ = [
    "AccountSync",
    "MissingToken",
    "access_token",
    "graph_api",
    "known_accounts",
    "missing_token",
    "sync_account",
    "token_name_of",
]
