"""Links from a number to its messages, in the message list of the admin with the filters that made the number, and to
the page about less or more."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from analytics.questions import Granularity, Question
from analytics.rollups.countries import pattern_of_country
from analytics.rollups.markets import pattern_of
from messaging.identifiers import first_uuid7
from messaging.models import ApiClient, BusinessNumber
from messaging.models.messages import Direction
from messaging.states import Status

# Filters that the message list has too.
SAME = {"template", "campaign", "type", "status", "direction"}
# Meta spells it with a hyphen in statuses, and with an underscore elsewhere.
SPELLINGS = {"authentication_international": "authentication-international"}
CHARGED = f"{Status.DELIVERED},{Status.READ}"
# Left as they are in an address, or a pattern would be three times as long.
SAFE = "|():?!^,"


class MessageLinks:
    """Addresses of the list for a question. Their bounds are ids, which hold the time, so that it reads an index."""

    def __init__(self, question: Question) -> None:
        """Reads the keys of the number and client that the question is about."""
        self._filters = dict(question.filters or {})
        self._bounds = {
            "id__gte": str(first_uuid7(question.period.since)),
            "id__lt": str(first_uuid7(question.period.until)),
        }
        self._lookups = {name: _lookup(name, str(value)) for name, value in self._filters.items()}

    def to(self, more: Mapping[str, str | int] | None = None) -> str:
        """The messages of the question with filters by dimension besides, and by `market`."""
        return self._address(more or {}, {})

    def charged(self, more: Mapping[str, str | int] | None = None) -> str:
        """The messages that a cost was counted from: outbound ones that were delivered."""
        # What the phone app sent, and history, is charged elsewhere.
        own = {"origin__exact": "", "direction__exact": str(Direction.OUTBOUND)}
        return self._address(more or {}, own if "status" in self._filters else {**own, "status__in": CHARGED})

    def _address(self, more: Mapping[str, str | int], own: Mapping[str, str]) -> str:
        lookups = {**self._lookups, **{name: _lookup(name, str(value)) for name, value in more.items()}}
        query = {**self._bounds, **own}
        for one in lookups.values():
            query |= one
        if patterns := list(_patterns({**self._filters, **more})):
            query["peer__regex"] = patterns[0] if len(patterns) == 1 else "".join(f"(?={one})" for one in patterns)
        return f"{reverse('admin:messaging_message_changelist')}?{urlencode(query, safe=SAFE)}"


def meta_spelling(category: str) -> str:
    """A category as the statuses of messages, and so the filters of questions, spell it."""
    return SPELLINGS.get(category, category)


def _lookup(name: str, value: str) -> dict[str, str]:
    """The list's lookup for a filter by a dimension; nothing for those that `_patterns` has."""
    if name in SAME:
        return {f"{name}__exact": value}
    lookup = LOOKUPS.get(name)
    return lookup(value) if lookup else {}


def _error_code(value: str) -> dict[str, str]:
    return {"error_code__isnull": "True"} if value == "0" else {"error_code__exact": value}


def _category(value: str) -> dict[str, str]:
    stored = value.replace("-", "_")
    spellings = dict.fromkeys((stored, meta_spelling(stored)))
    return {"pricing_category__in": ",".join(spellings)} if value else {"pricing_category__isnull": "True"}


def _sender(value: str) -> dict[str, str]:
    found = BusinessNumber.objects.filter(phone_number_id=value).values_list("pk", flat=True).first()
    return {"number__id__exact": str(found or 0)}


def _account(value: str) -> dict[str, str]:
    found = BusinessNumber.objects.filter(waba_id=value).values_list("pk", flat=True)
    return {"number__in": ",".join(map(str, found)) or "0"}


def _client(value: str) -> dict[str, str]:
    found = ApiClient.objects.filter(name=value).values_list("pk", flat=True).first()
    return {"client__exact": str(found or 0)}


LOOKUPS: dict[str, Callable[[str], dict[str, str]]] = {
    "error_code": _error_code,
    "category": _category,
    "price_type": lambda value: {"pricing_type__exact": value},
    "sender": _sender,
    "account": _account,
    "client": _client,
}


def _patterns(filters: Mapping[str, str | int]) -> Iterator[str]:
    """Of the recipients' numbers and user ids."""
    if market := filters.get("market"):
        yield pattern_of(str(market))
    if country := str(filters.get("country", "")):
        yield pattern_of_country(country)


def page_with(query: QueryDict, name: str, value: str) -> str:
    """The page with one more filter than it has."""
    narrower = query.copy()
    narrower[name] = value
    return f"{reverse('analytics-page')}?{narrower.urlencode()}"


def page_with_period(query: QueryDict, since: date, until: date) -> str:
    """The page for other days."""
    other = query.copy()
    other["since"], other["until"] = since.isoformat(), until.isoformat()
    if other.get("granularity") == Granularity.QUARTER:  # more steps than a page has
        del other["granularity"]
    return f"{reverse('analytics-page')}?{other.urlencode()}"


def page_without(query: QueryDict, names: Iterable[str]) -> str:
    """The page without some of its filters."""
    wider = query.copy()
    for name in names:
        wider.pop(name, None)
    return f"{reverse('analytics-page')}?{wider.urlencode()}"
