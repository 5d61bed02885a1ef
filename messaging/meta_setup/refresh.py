"""Refresh of Meta's facts about accounts: limits, qualities and states whose webhooks were missed."""

import logging

from messaging.accounts import MissingToken, graph_api, known_accounts, sync_account, token_names
from messaging.models import Account
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, WhatsAppError
from messaging.whatsapp.graph import GraphApi

logger = logging.getLogger(__name__)


def is_connected() -> bool:
    """Whether `manage.py connect` has stored an account."""
    return Account.objects.filter(synced_at__isnull=False).exists()


def refresh_accounts() -> None:
    """Store accounts and numbers as Meta has them now. Those that Meta refuses stay unchanged: the checks name them."""
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
    """Store one account. If Meta refuses it, the next one follows; if Meta does not answer, NotSent or OutcomeUnknown
    ends the refresh.
    """
    try:
        sync_account(api, waba_id, token_name)
    except (NotSent, OutcomeUnknown):
        raise
    except WhatsAppError as error:
        logger.info("account %s is not refreshed: %s", waba_id, type(error).__name__)
