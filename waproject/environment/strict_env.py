"""django-environ's reader with errors that name the variable, and formats of settings."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ


class StrictEnv(environ.Env):  # type: ignore[misc]
    """Raises ImproperlyConfigured with the variable's name and without its value, which may be a secret."""

    def get_value(self, var: str, *arguments: Any, **options: Any) -> Any:
        """As environ.Env's. Raises ImproperlyConfigured."""
        try:
            return super().get_value(var, *arguments, **options)
        except (ValueError, TypeError) as error:
            cast = options.get("cast") or (arguments[0] if arguments else None)
            kind = getattr(cast, "__name__", "value")
            raise environ.ImproperlyConfigured(f"{var} is not a valid {kind}.") from error


def code_waits(text: str) -> dict[int, float]:
    """`131049=86400,2=30`: seconds by Meta's error code. Raises ValueError."""
    return {int(code): float(wait) for code, wait in (entry.split("=", 1) for entry in text.split(",") if entry)}


def account_zones(text: str) -> dict[str, ZoneInfo]:
    """`102290129340398=America/New_York`: a time zone by WABA id. Raises ValueError."""
    try:
        return {
            waba_id.strip(): ZoneInfo(zone.strip())
            for waba_id, zone in (entry.split("=", 1) for entry in text.split(",") if entry.strip())
        }
    except ZoneInfoNotFoundError as error:
        raise ValueError(str(error)) from None
