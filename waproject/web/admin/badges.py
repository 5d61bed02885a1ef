"""Coloured badges for states, in lists and on pages."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

GOOD, WAITS, BAD, PLAIN = "open", "unanswered", "failed", "plain"
TONES = {
    **dict.fromkeys(("delivered", "read", "received", "stored"), GOOD),
    **dict.fromkeys(("queued", "sending", "pending", "waiting", "unknown", "warning"), WAITS),
    **dict.fromkeys(("failed", "expired", "gone", "too_large", "damaged", "refused", "critical"), BAD),
}


def badge(state: str, label: str = "") -> SafeString:
    """A badge with the state, or `label`, in the colour of the state's tone."""
    return format_html("<span class='mark mark-{}'>{}</span>", TONES.get(state, PLAIN), label or state)
