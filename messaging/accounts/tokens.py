"""Access tokens of accounts: an account names a setting, the environment holds the token."""

from collections.abc import Mapping

from django.conf import settings

from messaging.models import DEFAULT_TOKEN_NAME, TOKEN_NAME, Account
from messaging.whatsapp.errors import Misconfigured, Scope
from messaging.whatsapp.graph import GraphApi
from waproject.ttl_cache import TtlCache

# Requests share the names for this long; a changed one takes effect after it.
CACHED_S = 5.0
# One value: the names by WABA id.
_cache = TtlCache[None, Mapping[str, str]](CACHED_S)


class MissingToken(ValueError):
    """The variable that an account names is not set; `str` names it."""

    def __str__(self) -> str:
        return f"The environment variable {self.args[0]} is not set: set it to the access token of the account."


def access_token(token_name: str = DEFAULT_TOKEN_NAME) -> str:
    """The token that this variable holds. Raises MissingToken."""
    if token_name == DEFAULT_TOKEN_NAME:
        return str(settings.WA_ACCESS_TOKEN)
    token = settings.WA_ACCESS_TOKENS.get(token_name, "") if TOKEN_NAME.fullmatch(token_name) else ""
    if not token:
        raise MissingToken(token_name)
    return str(token)


def missing_token(error: MissingToken) -> Misconfigured:
    """The same as an error of a send: the numbers of the account pause until the token is there."""
    return Misconfigured(scope=Scope.ACCOUNT, title=str(error))


def token_names() -> list[str]:
    """The variables of all access tokens, the default one first."""
    others = Account.objects.exclude(token_name=DEFAULT_TOKEN_NAME).values_list("token_name", flat=True)
    return [DEFAULT_TOKEN_NAME, *sorted(set(others))]


def token_name_of(waba_id: str) -> str:
    """The variable of an account's token, as of up to CACHED_S ago; the default one for an unknown account."""
    names = _cache.get(None)
    if names is None:
        names = _cache.set(None, dict(Account.objects.values_list("waba_id", "token_name")))
    return names.get(waba_id, DEFAULT_TOKEN_NAME)


def clear_token_cache() -> None:
    """Make the next call read the database."""
    _cache.clear()


def graph_api(token_name: str = DEFAULT_TOKEN_NAME) -> GraphApi:
    """A client of the Graph API with this token; close it. Raises MissingToken, ValueError."""
    return GraphApi(settings.WA_GRAPH_URL, settings.WA_GRAPH_VERSION, access_token(token_name))
