"""The check of retention periods: a process does not start if one would delete what is still needed."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from messaging.retention.rules import registered


@checks.register()
def periods_are_long_enough(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    """Each period is 0 (no deletion) or at least its rule's minimum."""
    found: dict[str, checks.CheckMessage] = {}
    for rule in registered():
        if rule.days != 0 and rule.days < rule.min_days:
            found[rule.setting] = checks.Error(
                f"{rule.setting} is {rule.days}: {rule.about} are needed for {rule.min_days} days.",
                hint=f"Set it to 0 (no deletion) or to {rule.min_days} or more: docs/retention.md.",
                id="messaging.E001",
            )
    return list(found.values())
