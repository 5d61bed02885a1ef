"""The sync of templates, by `deliver` when it is due and by `manage.py sync_templates` at once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from messaging.accounts import MissingToken, graph_api, known_accounts, sync_account
from messaging.message_templates import (
    DueSync,
    TemplateList,
    TemplateSync,
    claim_syncs,
    fetch_templates,
    record_failure,
    record_success,
    store_templates,
)
from messaging.meta_events.template_statuses import apply_statuses
from messaging.models import Account
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, WhatsAppError
from waproject.worker.database_gate import is_database_unavailable

logger = logging.getLogger(__name__)
__all__ = ["FetchedTemplates", "claim_syncs", "fetch", "record", "sync_accounts", "sync_now"]


@dataclass(frozen=True, slots=True)
class FetchedTemplates:
    """What Meta has answered for a claimed account, or why there is no answer."""

    due: DueSync
    listed: TemplateList | None
    problem: str = ""


def fetch(due: DueSync) -> FetchedTemplates:
    """Ask Meta for the templates of a claimed account, without the database."""
    try:
        return FetchedTemplates(due, _listed(due.waba_id, due.token_name, lambda _: None))
    except (WhatsAppError, MissingToken, ValueError) as error:
        return FetchedTemplates(due, None, describe(error))


def record(fetched: Sequence[FetchedTemplates]) -> None:
    """Store the templates and apply their statuses. Repeating it changes nothing. If one account's templates cannot be
    stored, the others are stored nonetheless.
    """
    for each in fetched:
        try:
            _record(each)
        except Exception as error:
            if is_database_unavailable(error):
                raise
            logger.error("the templates of account %s are not stored: %s", each.due.waba_id, type(error).__name__)
            record_failure(each.due)


def _record(each: FetchedTemplates) -> None:
    if each.listed is None:
        logger.warning("the templates of account %s are not synced: %s", each.due.waba_id, each.problem)
        record_failure(each.due)
    else:
        _store(each.due.account_id, each.listed)
        record_success(each.due)


def sync_now(account: Account, progress: Callable[[int], None] = lambda _: None) -> TemplateSync:
    """Sync the templates of an account. Raises WhatsAppError, MissingToken and ValueError; nothing is stored then."""
    return _store(account.pk, _listed(account.waba_id, account.token_name, progress))


def sync_accounts(token_name: str) -> dict[str, WhatsAppError]:
    """Ask Meta for the accounts that a token is granted for, and their numbers, and store them.

    Returns those that Meta refuses, with its reasons: they keep no other from its turn. Raises as above.
    """
    refused = {}
    api = graph_api(token_name)
    try:
        for waba_id in known_accounts(api, token_name):
            try:
                sync_account(api, waba_id, token_name)
            except (NotSent, OutcomeUnknown):  # Meta does not answer: the others would wait for it in vain
                raise
            except WhatsAppError as error:
                refused[waba_id] = error
    finally:
        api.close()
    return refused


def describe(error: Exception) -> str:
    """An error in words, without anything secret."""
    if not isinstance(error, WhatsAppError):
        return str(error)
    return f"{error.code}: {error.title}" if error.code else error.title or type(error).__name__


def _listed(waba_id: str, token_name: str, progress: Callable[[int], None]) -> TemplateList:
    api = graph_api(token_name)
    try:
        return fetch_templates(api, waba_id, progress)
    finally:
        api.close()


def _store(account_id: int, listed: TemplateList) -> TemplateSync:
    with transaction.atomic():
        result = store_templates(account_id, listed)
        waba_id = Account.objects.values_list("waba_id", flat=True).get(pk=account_id)
        apply_statuses(waba_id, result.statuses, is_listed=True)
    return result
