"""Changes of templates at Meta: requested outside a transaction, stored once Meta has taken them.

After a change the template is read from Meta, so that what is stored is Meta's. If that read fails, the sync that every
change requests stores it within seconds.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from messaging.access import record_action
from messaging.accounts import MissingToken, graph_api
from messaging.message_templates import DELETED, TemplateKey, record_status, request_sync, store_template
from messaging.meta_events import apply_statuses
from messaging.models import Account, Template
from messaging.template_management.meta_refusals import CONFLICT, DETAIL, ChangeRefused, refusal_of
from messaging.whatsapp.errors import WhatsAppError
from messaging.whatsapp.graph import GraphApi, TemplateNode


def create_template(account: Account, given: Mapping[str, object], who: str) -> Template:
    """Create a template from name, language, category, components and parameter_format. Raises ChangeRefused."""
    with _meta(account) as api:
        created = api.create_template(account.waba_id, given)
        asked_at = timezone.now()
        node = _read(api, created.template_id)
    if node is None or (node.name, node.language) != (given["name"], given["language"]):
        node = _as_given(created, given)
    with transaction.atomic():
        _store(account, node, asked_at)
        row = _row(account, str(given["name"]), str(given["language"]))
        record_action(who, "create template", f"template {row.pk}", name=row.name, language=row.language)
    return row


def edit_template(row: Template, changes: Mapping[str, object], who: str) -> Template:
    """Replace the components or the category of a template. Raises ChangeRefused."""
    _check_known(row)
    with _meta(row.account) as api:
        api.edit_template(row.template_id, changes)
        asked_at = timezone.now()
        node = _read(api, row.template_id)
    with transaction.atomic():
        if node is not None:
            _store(row.account, node, asked_at)
        else:
            request_sync(row.account.waba_id)
        record_action(
            who, "edit template", f"template {row.pk}", name=row.name, language=row.language, fields=sorted(changes)
        )
    return _row(row.account, row.name, row.language)


def delete_template(row: Template, who: str) -> None:
    """Delete a template in its language. Its waiting messages get Meta's refusal. Raises ChangeRefused."""
    _check_known(row)
    with _meta(row.account) as api:
        api.delete_template(row.account.waba_id, row.name, row.template_id)
    key = TemplateKey(row.account.waba_id, row.name, row.language)
    with transaction.atomic():
        change = record_status(key, DELETED, reason="", at=timezone.now())
        apply_statuses(key.waba_id, [change] if change else [])
        request_sync(key.waba_id)
        record_action(who, "delete template", f"template {row.pk}", name=row.name, language=row.language)


@contextmanager
def _meta(account: Account) -> Iterator[GraphApi]:
    """A client with the account's token, whose errors become ChangeRefused."""
    try:
        api = graph_api(account.token_name)
    except (MissingToken, ValueError) as error:
        raise ChangeRefused(CONFLICT, DETAIL, str(error)) from None
    try:
        yield api
    except WhatsAppError as error:
        # The change may have been made nevertheless, or our copy is older than Meta's.
        request_sync(account.waba_id)
        raise refusal_of(error) from None
    finally:
        api.close()


def _check_known(row: Template) -> None:
    if row.removed_at is not None:
        raise ChangeRefused(CONFLICT, DETAIL, "The template is deleted.")
    if not row.template_id:
        request_sync(row.account.waba_id)
        raise ChangeRefused(CONFLICT, DETAIL, "The template is not synced yet: repeat the request in a minute.")


def _read(api: GraphApi, template_id: str) -> TemplateNode | None:
    """The template as Meta has it now; None if it does not say."""
    with suppress(WhatsAppError):
        node = api.template(template_id)
        return node if node.template_id == template_id and node.name and node.language else None
    return None


def _as_given(created: TemplateNode, given: Mapping[str, object]) -> TemplateNode:
    """What Meta has answered to a creation, with what it was asked for."""
    components = given["components"]
    return TemplateNode(
        template_id=created.template_id,
        name=str(given["name"]),
        language=str(given["language"]),
        status=created.status or "PENDING",
        category=created.category or str(given["category"]),
        components=tuple(components) if isinstance(components, list) else (),
        parameter_format=str(given.get("parameter_format", "")),
        quality="",
        rejected_reason="",
    )


def _store(account: Account, node: TemplateNode, asked_at: datetime) -> None:
    apply_statuses(account.waba_id, store_template(account.pk, node, asked_at), is_listed=True)
    request_sync(account.waba_id)


def _row(account: Account, name: str, language: str) -> Template:
    return Template.objects.select_related("account").get(account=account, name=name, language=language)
