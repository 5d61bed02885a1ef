"""Holds and alerts that follow from the status of a template."""

import pytest

from messaging.message_templates import StatusChange, TemplateKey
from messaging.meta_events import apply_statuses
from messaging.meta_events.meta_event import META
from messaging.models import AuditEntry
from messaging.outgoing import hold_template
from tests.messaging.meta_events.events import WABA, alerts_of, held

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("before", "after", "is_listed", "is_held", "alerts"),
    [
        ("APPROVED", "DISABLED", True, True, 0),
        ("PAUSED", "REJECTED", False, True, 0),
        ("FLAGGED", "DISABLED", True, True, 0),
        ("PENDING", "DISABLED", False, False, 0),
        ("PENDING", "REJECTED", False, False, 1),
        ("PENDING", "REJECTED", True, False, 0),
        ("DELETED", "PAUSED", False, False, 0),
        ("", "PAUSED", True, True, 0),
        ("", "DISABLED", False, True, 0),
        ("", "DISABLED", True, False, 0),
        ("", "REJECTED", True, False, 0),
        ("", "PENDING", False, False, 0),
        ("APPROVED", "APPROVED", False, False, 0),
        ("APPROVED", "NEWS", False, False, 0),
    ],
)
def test_a_template_that_meta_stopped_is_held_if_messages_of_it_may_wait(
    before: str, after: str, is_listed: bool, is_held: bool, alerts: int
) -> None:
    change = StatusChange(TemplateKey(WABA, "offer", "en"), before, after, "why")
    heard = alerts_of(lambda: apply_statuses(WABA, [change], is_listed=is_listed))
    words = f"Meta's status of the template is {after}: why"
    assert held() == ([("offer", "en", META, words, None)] if is_held else [])
    assert heard == [("template", "rejected:offer", words)] * alerts


def test_a_flagged_template_may_be_sent_so_its_hold_ends() -> None:
    hold_template("offer", by=META, waba_id=WABA, language="en")
    apply_statuses(WABA, [StatusChange(TemplateKey(WABA, "offer", "en"), "PAUSED", "FLAGGED")], is_listed=True)
    assert held() == []


def test_an_approval_ends_the_holds_of_meta_and_of_refused_sends_and_no_others() -> None:
    for language, by in (("en", META), ("de", "system"), ("fr", "ann"), ("es", META)):
        hold_template("offer", by=by, waba_id=WABA, language=language)
    key = {language: TemplateKey(WABA, "offer", language) for language in ("en", "de", "fr", "it")}
    apply_statuses(WABA, [StatusChange(one, "PAUSED", "APPROVED") for one in key.values()])
    assert [(language, by) for _, language, by, *_ in held()] == [("fr", "ann"), ("es", META)]
    entries = AuditEntry.objects.order_by("pk").values_list("who", "action", "details")
    assert list(entries) == [
        (META, "resume", {"key": "offer", "language": language, "status": "APPROVED"}) for language in ("en", "de")
    ]
