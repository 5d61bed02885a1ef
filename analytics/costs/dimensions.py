"""The dimensions of costs, as questions name them, and the columns of `Charge` that hold them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.costs.accounts import billed_accounts
from analytics.questions import name_of
from messaging.models import ApiClient


@dataclass(frozen=True, slots=True)
class CostDimension:
    """A dimension: its name in questions, its column, and the longest value that it has."""

    name: str
    column: str
    help: str
    max_length: int


DIMENSIONS: dict[str, CostDimension] = {
    one.name: one
    for one in (
        CostDimension("market", "market", "A row of Meta's rate card: Germany, Rest of Africa …", 60),
        CostDimension("category", "category", "As Meta bills it: marketing, utility …", 40),
        CostDimension("template", "template", "The template's name.", 512),
        CostDimension("campaign", "campaign", "The campaign.", 100),
        CostDimension("sender", "number_id", "Meta's id of the business number.", 32),
        CostDimension("client", "client_id", "The client's name.", 100),
    )
}


def filters_of(values: Mapping[str, str], client_id: int | None) -> dict[str, Sequence[Any]]:
    """Columns of `Charge` and the values that they may have; `client_id` is the one client that may be seen."""
    found: dict[str, Sequence[Any]] = {}
    for name, value in values.items():
        if name == "sender":
            found["number_id"] = [one.number_id for one in billed_accounts() if one.phone_number_id == value]
        elif name == "client":
            found["client_id"] = list(ApiClient.objects.filter(name=value).values_list("pk", flat=True))
        elif name == "category":
            found["category"] = [value.replace("-", "_")]
        else:
            found[name] = [value]
    if client_id is not None:
        found["client_id"] = [client_id]
    return found


def namers(names: Sequence[str]) -> list[Callable[[Any], str]]:
    """A function for each dimension that turns its column's values into names."""
    numbers = {one.number_id: one.phone_number_id for one in billed_accounts()} if "sender" in names else {}
    clients = dict(ApiClient.objects.values_list("pk", "name")) if "client" in names else {}
    tables: dict[str, Mapping[Any, str]] = {"sender": numbers, "client": clients}
    return [
        (lambda value, table=tables[name]: name_of(value, table)) if name in tables else str  # type: ignore[misc]
        for name in names
    ]
