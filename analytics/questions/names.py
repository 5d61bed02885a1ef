"""Names of the rows that a question groups by: business numbers, accounts, clients."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics.questions.dimensions import DIMENSIONS, Dimension, Kind
from analytics.questions.question import Question
from messaging.models import ApiClient, BusinessNumber


@dataclass(frozen=True, slots=True)
class Names:
    """Names by key, for those who ask for groups of numbers, accounts or clients."""

    senders: Mapping[int, str]
    accounts: Mapping[int, str]
    clients: Mapping[int, str]

    def of(self, dimension: Dimension, key: Any) -> str | int:
        """A group's name. Accounts are grouped by name."""
        names = {Kind.SENDER: self.senders, Kind.CLIENT: self.clients}.get(dimension.kind)
        if names is None:
            return key  # type: ignore[no-any-return]
        return name_of(key, names)


def name_of(key: int, names: Mapping[int, str]) -> str:
    """The name of a row by its key; the key where the row is gone, and empty for 0, which is none."""
    return names.get(key, str(key) if key else "")


def load_names(dimensions: Iterable[Dimension]) -> Names:
    """All names of these dimensions; there are few. Nothing is read for dimensions whose keys are their names."""
    kinds = {dimension.kind for dimension in dimensions}
    numbers: list[tuple[int, str, str]] = []
    if kinds & {Kind.SENDER, Kind.ACCOUNT}:
        numbers = list(BusinessNumber.objects.values_list("pk", "phone_number_id", "waba_id"))
    return Names(
        senders={pk: phone_number_id for pk, phone_number_id, _ in numbers},
        accounts={pk: waba_id for pk, _, waba_id in numbers},
        clients=dict(ApiClient.objects.values_list("pk", "name")) if Kind.CLIENT in kinds else {},
    )


def conditions(question: Question) -> tuple[str, dict[str, Any]]:
    """The SQL conditions on `analytics_dimensions d` for the filters and the caller's scope, and their parameters.

    A sender, an account or a client that does not exist matches nothing.
    """
    texts = ["TRUE"]
    values: dict[str, Any] = {}
    for name, value in (question.filters or {}).items():
        dimension = DIMENSIONS[name]
        texts.append(f"d.{dimension.column} = ANY(%(f_{name})s)")
        values[f"f_{name}"] = _keys(dimension, value)
    if question.named is not None:
        texts.append(f"d.{question.named.column} <> ''")
    if question.client_id is not None:
        texts.append("d.client_id = %(scope)s")
        values["scope"] = question.client_id
    return " AND ".join(texts), values


def _keys(dimension: Dimension, value: str | int) -> list[Any]:
    if dimension.kind == Kind.SENDER:
        return list(BusinessNumber.objects.filter(phone_number_id=value).values_list("pk", flat=True))
    if dimension.kind == Kind.ACCOUNT:
        return list(BusinessNumber.objects.filter(waba_id=value).values_list("pk", flat=True))
    if dimension.kind == Kind.CLIENT:
        return list(ApiClient.objects.filter(name=value).values_list("pk", flat=True))
    return [value]
