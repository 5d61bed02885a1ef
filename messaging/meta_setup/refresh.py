"""Refresh of Meta's facts about accounts: limits, qualities and states whose webhooks were missed."""

import logging

from messaging.accounts import MissingToken, graph_api, known_accounts, sync_account
from messaging.models import DEFAULT_TOKEN_NAME, Account
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, WhatsAppError
from messaging.whatsapp.graph import GraphApi

logger = logging.getLogger(__name__)


def is_connected() -> bool:
    """Whether `manage.py connect` has stored an account."""
    return Account.objects.filter(synced_at__isnull=False).exists()


def token_names() -> list[str]:
    """The variables of the access tokens, the default one first."""
    others = Account.objects.exclude(token_name=DEFAULT_TOKEN_NAME).values_list("token_name", flat=True)
    return [DEFAULT_TOKEN_NAME, *sorted(set(others))]


def refresh_accounts() -> None:
    """Store all accounts and numbers anew. Accounts that Meta refuses stay unchanged: the checks name them."""
    for token_name in token_names():
        try:
            api = graph_api(token_name)
        except (MissingToken, ValueError):
            continue
        try:
            for waba_id in known_accounts(api, token_name):
                _refresh(api, waba_id, token_name)
        except WhatsAppError as error:
            logger.info("accounts are not refreshed: %s", type(error).__name__)
        finally:
            api.close()


def _refresh(api: GraphApi, waba_id: str, token_name: str) -> None:
    """Store an account anew. One that Meta refuses keeps no other from its turn; where Meta does not answer, none has
    one. Raises NotSent and OutcomeUnknown.
    """
    try:
        sync_account(api, waba_id, token_name)
    except (NotSent, OutcomeUnknown):
        raise
    except WhatsAppError as error:
        logger.info("account %s is not refreshed: %s", waba_id, type(error).__name__)
