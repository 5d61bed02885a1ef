"""Examination of the set-up: read-only requests to Meta, judged by `checks`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TypeVar
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.utils import timezone

from messaging.accounts import MissingToken, access_token, graph_api, known_accounts, token_names
from messaging.meta_setup import checks
from messaging.meta_setup.checks import Finding, State
from messaging.models import DEFAULT_TOKEN_NAME, Account, BusinessNumber
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, WhatsAppError
from messaging.whatsapp.graph import GraphApi
from messaging.whatsapp.graph.nodes import NumberNode

# Of the URL "webhook", whose view is a layer above: this runs in processes that load no URLs.
WEBHOOK_PATH = "/webhook/whatsapp"
HANDSHAKE_S = 10.0

T = TypeVar("T")


def callback_url() -> str:
    """Where Meta reaches this installation; empty without BASE_URL."""
    return f"{settings.BASE_URL}{WEBHOOK_PATH}" if settings.BASE_URL else ""


def app_api(app_id: str) -> GraphApi:
    """A client that asks as the app itself, with its secret. Raises ValueError."""
    return GraphApi(settings.WA_GRAPH_URL, settings.WA_GRAPH_VERSION, f"{app_id}|{settings.WA_APP_SECRET}")


def check_setup() -> Iterator[Finding]:
    """All checks, in the order in which they depend on each other: of the default token's set-up, then of others."""
    yield from _examine_default()
    for token_name in token_names():
        if token_name != DEFAULT_TOKEN_NAME:
            yield from _examine_other(token_name)


def _examine_other(token_name: str) -> Iterator[Finding]:
    """The token of a further account, that account and its numbers."""
    try:
        api = graph_api(token_name)
    except (MissingToken, ValueError) as error:
        yield Finding("token", State.FAILED, str(error), f"Set {token_name}, and restart the processes.", token_name)
        return
    info, finding = _requested(lambda: api.debug_token(access_token(token_name)), "token", token_name)
    if info is None:
        yield finding
    else:
        yield from (replace(one, about=token_name) for one in checks.token_findings(info, timezone.now()))
        yield from _accounts(api, info.app_id, token_name)
    api.close()


def _examine_default() -> Iterator[Finding]:
    try:
        api = graph_api()
    except (MissingToken, ValueError) as error:
        yield Finding("token", State.FAILED, f"{error}.".replace("..", "."), "Set WA_ACCESS_TOKEN.")
        return
    info, finding = _requested(lambda: api.debug_token(access_token()), "token")
    if info is None:
        yield finding
        return
    found = list(checks.token_findings(info, timezone.now()))
    yield from found
    if all(one.state is not State.FAILED for one in found if one.check == "token"):
        yield from _webhook(info.app_id)
        yield from _accounts(api, info.app_id)
    api.close()


def _accounts(api: GraphApi, app_id: str, token_name: str = DEFAULT_TOKEN_NAME) -> Iterator[Finding]:
    ids, finding = _requested(lambda: known_accounts(api, token_name), "account")
    if not ids:
        yield finding if ids is None else _no_account()
        return
    numbers: list[NumberNode] = []
    for waba_id in ids:
        node, finding = _requested(partial(api.account, waba_id), "account", waba_id)
        if node is None:
            yield finding
            continue
        yield checks.account_finding(node)
        yield _health(api, waba_id)
        apps, finding = _requested(partial(api.subscribed_apps, waba_id), "subscribed app", waba_id)
        yield finding if apps is None else checks.subscribed_finding(apps, app_id, waba_id)
        found, finding = _requested(partial(api.phone_numbers, waba_id), "number", waba_id)
        if found is None:
            yield finding
            continue
        numbers += found
    if token_name == DEFAULT_TOKEN_NAME and not _is_of_another_token(settings.WA_PHONE_NUMBER_ID):
        yield checks.own_number_finding(settings.WA_PHONE_NUMBER_ID, numbers)
    for number in numbers:
        yield from checks.number_findings(number)
        yield _health(api, number.phone_number_id)


def _health(api: GraphApi, node_id: str) -> Finding:
    health, finding = _requested(partial(api.health, node_id), "health", node_id)
    return finding if health is None else checks.health_finding(health, node_id)


def _is_of_another_token(phone_number_id: str) -> bool:
    others = Account.objects.exclude(token_name=DEFAULT_TOKEN_NAME).values("waba_id")
    return BusinessNumber.objects.filter(phone_number_id=phone_number_id, waba_id__in=others).exists()


def _no_account() -> Finding:
    return Finding(
        "account",
        State.FAILED,
        "The access token may use no WhatsApp Business account.",
        "Assign the account to the system user (Business settings, Accounts, WhatsApp accounts, Add people) and "
        "generate the token again: docs/connect.md#access-token.",
    )


def _webhook(app_id: str) -> Iterator[Finding]:
    api = app_api(app_id)
    found, finding = _requested(lambda: api.subscriptions(app_id), "app secret")
    api.close()
    if found is None:
        yield finding
    else:
        yield Finding("app secret", State.OK, "WA_APP_SECRET is the secret of the token's app.")
        yield checks.webhook_finding(found, callback_url())
    if callback_url():
        yield checks.handshake_finding(*handshake(callback_url()), callback_url())


def handshake(url: str) -> tuple[int | None, bool]:
    """Do Meta's handshake with our own callback: the HTTP status (None: no answer), whether it was answered right."""
    challenge = token_hex(8)
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": settings.WA_WEBHOOK_VERIFY_TOKEN,
        "hub.challenge": challenge,
    }
    try:
        answer = requests.get(f"{url}?{urlencode(query)}", timeout=HANDSHAKE_S, allow_redirects=False)
    except requests.RequestException:
        return None, False
    return answer.status_code, answer.ok and answer.text == challenge


_NEXT_STEPS = {
    "app secret": "Copy the app secret from the app's page (App settings, Basic) to WA_APP_SECRET, and restart web.",
    "token": "Make a token of a system user and set WA_ACCESS_TOKEN: docs/connect.md#access-token.",
}


def _requested(request: Callable[[], T], check: str, about: str = "") -> tuple[T | None, Finding]:
    """The answer; or None and the finding that says why there is none."""
    try:
        return request(), Finding(check, State.OK, "", about=about)
    except (NotSent, OutcomeUnknown):
        return None, Finding(
            check,
            State.FAILED,
            f"{settings.WA_GRAPH_URL} does not answer.",
            "Check that this host may reach it over https, and try again.",
            about,
        )
    except (WhatsAppError, MissingToken) as error:
        title = str(getattr(error, "title", "") or error)
        return None, Finding(
            check,
            State.FAILED,
            f"Meta refuses: {title}".rstrip(".") + ".",
            _NEXT_STEPS.get(check, "Give the system user access to the account, and generate the token again."),
            about,
        )
