"""Estimates of what messages will cost, made by analytics, which registers itself here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.models import Message

Estimator = Callable[[Sequence[Message]], dict[str, Any]]
PARAMETER = "estimate"


@dataclass(slots=True)
class _Registered:
    estimator: Estimator | None = None


_registered = _Registered()


def register(estimator: Estimator) -> None:
    """Register the function that makes estimates. It gets drafted rows, which are not stored, and returns JSON."""
    _registered.estimator = estimator


def estimate(rows: Sequence[Message]) -> dict[str, Any]:
    """What these drafted messages will cost. Raises LookupError while no estimator is registered."""
    if _registered.estimator is None:
        raise LookupError("no estimator is registered")
    return _registered.estimator(rows)
