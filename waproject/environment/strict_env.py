"""django-environ's reader, whose every refusal is an ImproperlyConfigured that names the variable, and its formats."""

from typing import Any

import environ


class StrictEnv(environ.Env):  # type: ignore[misc]
    """Values are not quoted in what it raises: the next variable may be a secret."""

    def get_value(self, var: str, *arguments: Any, **options: Any) -> Any:
        """As environ.Env's. Raises ImproperlyConfigured."""
        try:
            return super().get_value(var, *arguments, **options)
        except (ValueError, TypeError) as error:
            cast = options.get("cast") or (arguments[0] if arguments else None)
            kind = getattr(cast, "__name__", "value of its kind")
            raise environ.ImproperlyConfigured(f"{var} cannot be read as {kind}.") from error


def code_waits(text: str) -> dict[int, float]:
    """`131049=86400,2=30`: seconds by Meta's error code. Raises ValueError."""
    return {int(code): float(wait) for code, wait in (entry.split("=", 1) for entry in text.split(",") if entry)}
