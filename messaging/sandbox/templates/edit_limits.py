"""Meta's limits on the edits of an approved template: one in 24 hours, ten in 30 days."""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import graph_errors

DAY_S = 24 * 3600.0
# Seconds, and edits within them.
LIMITS = ((DAY_S, 1), (30 * DAY_S, 10))


@dataclass(slots=True)
class EditLimits:
    """The times of edits of approved templates, in Unix seconds, by the template's id."""

    _edits: dict[str, list[float]] = field(default_factory=dict)

    def check(self, template_id: str, now: float) -> None:
        """Raise GraphError 100 for one edit too many. Meta's subcode for it is not known."""
        edits = self._edits.get(template_id, ())
        for seconds, most in LIMITS:
            if sum(at > now - seconds for at in edits) >= most:
                span = "24 hours" if seconds == DAY_S else f"{seconds / DAY_S:.0f} days"
                times = "once" if most == 1 else f"{most} times"
                raise graph_errors.invalid_parameter(f"An approved template can be edited {times} in {span}.")

    def record(self, template_id: str, now: float) -> None:
        """Count an edit."""
        self._edits.setdefault(template_id, []).append(now)

    def clear(self) -> None:
        """Forget all edits."""
        self._edits.clear()
