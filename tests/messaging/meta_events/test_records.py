"""The exact words of alerts and audit entries, and the stored columns, for each event of Meta."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.meta_events.meta_event import META
from messaging.models import Account, AuditEntry, BusinessNumber, Hold, Template
from tests.messaging.factories import number
from tests.messaging.lock_order import locks
from tests.messaging.message_templates.rows import synced_template
from tests.messaging.meta_events.events import WABA, happens, held
from tests.messaging.meta_events.test_handlers import NAME, NUMBER_QUALITY, QUALITY, STATUS

pytestmark = pytest.mark.django_db
CATEGORY = "template_category_update"
IN_2100 = datetime(2100, 1, 1, tzinfo=UTC)
NEVER, ADD_PHONE = "RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_ADD_PHONE_NUMBER_ACTION"
ALL = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
Facts = dict[str, Any]


@pytest.fixture
def sender() -> BusinessNumber:
    """A number of the account, and an approved template."""
    synced_template("offer", waba_id=WABA)
    return number(rate=80, waba_id=WABA, display_phone_number="15550783881")


def restricted(*kinds: str) -> Facts:
    return {"restriction_info": [{"restriction_type": kind, "expiration": 4_102_444_800} for kind in kinds]}


def ban(state: str) -> Facts:
    return {"ban_info": {"waba_ban_state": state}}


OFFER: Facts = {"message_template_language": "en"}
OF = {"subject": "offer"}
OF_NUMBER = {"subject": "15550783881"}
ACCOUNT = f"account {WABA}"
LIMITED = "Meta has restricted the account: "
# Event, value and fields; the alerts' (kind, key, reason); the audit log's (action, object, details).
RECORDS: list[tuple[tuple[str, str, Facts, Facts], list[tuple[str, str, str]], list[tuple[str, str, Facts]]]] = [
    (
        ("account_review_update", "", {"decision": "REJECTED"}, {}),
        [("account", WABA, "Meta's review of the account: REJECTED")],
        [("account review", ACCOUNT, {"decision": "REJECTED"})],
    ),
    (
        ("account_review_update", "", {"decision": "APPROVED"}, {}),
        [],
        [("account review", ACCOUNT, {"decision": "APPROVED"})],
    ),
    (
        ("account_update", "ACCOUNT_RESTRICTION", restricted(NEVER, ALL), {}),
        [("account", WABA, f"{LIMITED}{NEVER}, {ALL}")],
        [
            ("restriction", ACCOUNT, {"restrictions": f"{NEVER}, {ALL}"}),
            ("hold", "hold {hold}", {"reason": f"{LIMITED}{NEVER}, {ALL}"}),
            ("pause", "number {number}", {"reason": f"{LIMITED}{NEVER}, {ALL}"}),
        ],
    ),
    (
        ("account_update", "ACCOUNT_RESTRICTION", restricted(NEVER), {}),
        [("account", WABA, f"{LIMITED}{NEVER}")],
        [
            ("restriction", ACCOUNT, {"restrictions": NEVER}),
            ("hold", "hold {hold}", {"reason": f"{LIMITED}{NEVER}"}),
        ],
    ),
    (
        ("account_update", "ACCOUNT_RESTRICTION", restricted(ADD_PHONE), {}),
        [("account", WABA, f"{LIMITED}{ADD_PHONE}")],
        [("restriction", ACCOUNT, {"restrictions": ADD_PHONE})],
    ),
    (
        ("account_update", "ACCOUNT_RESTRICTION", {}, {}),
        [("account", WABA, f"{LIMITED}not named")],
        [
            ("restriction", ACCOUNT, {"restrictions": "not named"}),
            ("pause", "number {number}", {"reason": f"{LIMITED}not named"}),
        ],
    ),
    (
        ("account_update", "ACCOUNT_VIOLATION", {"violation_info": {"violation_type": "SPAM"}}, {}),
        [("account", WABA, "Meta reports a violation of its policies: SPAM")],
        [("violation", ACCOUNT, {"violation": "SPAM"})],
    ),
    (
        ("account_update", "ACCOUNT_VIOLATION", {}, {}),
        [("account", WABA, "Meta reports a violation of its policies: not named")],
        [("violation", ACCOUNT, {"violation": "not named"})],
    ),
    (
        ("account_update", "DISABLED_UPDATE", ban("DISABLE"), {}),
        [("account", WABA, "Meta has disabled the account")],
        [
            ("ban", ACCOUNT, {"state": "DISABLE"}),
            ("pause", "number {number}", {"reason": "Meta has disabled the account"}),
        ],
    ),
    (
        ("account_update", "DISABLED_UPDATE", ban("SCHEDULE_FOR_DISABLE"), {}),
        [("account", WABA, "Meta is going to disable the account")],
        [("ban", ACCOUNT, {"state": "SCHEDULE_FOR_DISABLE"})],
    ),
    (
        ("account_update", "ACCOUNT_DELETED", {}, {}),
        [("account", WABA, "Meta has deleted the account")],
        [("pause", "number {number}", {"reason": "Meta has deleted the account"})],
    ),
    (
        ("account_update", "PARTNER_REMOVED", {}, {}),
        [("account", WABA, "The account is no longer connected: PARTNER_REMOVED")],
        [("disconnected", ACCOUNT, {"event": "PARTNER_REMOVED"})],
    ),
    (
        (NUMBER_QUALITY, "FLAGGED", {}, OF_NUMBER),
        [("number", "{number}", "Meta has flagged the number because of its quality")],
        [("number quality", "number {number}", {"event": "FLAGGED"})],
    ),
    (
        (NUMBER_QUALITY, "DOWNGRADE", {}, OF_NUMBER),
        [("number", "{number}", "Meta has lowered the messaging limit because of the number's quality")],
        [("number quality", "number {number}", {"event": "DOWNGRADE"})],
    ),
    (
        (NAME, "", {"decision": "APPROVED", "requested_verified_name": "Shop"}, OF_NUMBER),
        [],
        [("number name", "number {number}", {"decision": "APPROVED"})],
    ),
    *(
        (
            (NAME, "", {"decision": decision, "requested_verified_name": "Shop"}, OF_NUMBER),
            [("number", "{number}", f"Meta's decision on the display name: {decision}")],
            [("number name", "number {number}", {"decision": decision})],
        )
        for decision in ("REJECTED", "DECLINED")
    ),
    (
        (STATUS, "FLAGGED", OFFER, OF),
        [("template", "flagged:offer", "Meta has flagged the template because of its quality")],
        [("template flagged", ACCOUNT, {"name": "offer", "language": "en"})],
    ),
    (
        (STATUS, "PAUSED", {**OFFER, "reason": "NONE"}, OF),
        [],
        [("hold", "hold {hold}", {"key": "offer", "language": "en", "status": "PAUSED"})],
    ),
    (
        (QUALITY, "", {**OFFER, "new_quality_score": "RED"}, OF),
        [("template", "quality:offer", "Meta rates the template's quality RED: it may be paused soon")],
        [("template quality", ACCOUNT, {"name": "offer", "quality": "RED"})],
    ),
    (
        (QUALITY, "", {**OFFER, "new_quality_score": "GREEN"}, OF),
        [],
        [("template quality", ACCOUNT, {"name": "offer", "quality": "GREEN"})],
    ),
    (
        (CATEGORY, "", {**OFFER, "new_category": "UTILITY", "correct_category": "MARKETING"}, OF),
        [("template", "category:offer", "Meta is going to move the template from UTILITY to MARKETING")],
        [("template category", ACCOUNT, {"name": "offer", "category": "UTILITY"})],
    ),
    (
        (CATEGORY, "", {**OFFER, "new_category": "MARKETING", "correct_category": "MARKETING"}, OF),
        [("template", "category:offer", "Meta has made it a marketing template, which needs consent")],
        [("template category", ACCOUNT, {"name": "offer", "category": "MARKETING"})],
    ),
    (
        (CATEGORY, "", {**OFFER, "new_category": "UTILITY"}, OF),
        [],
        [("template category", ACCOUNT, {"name": "offer", "category": "UTILITY"})],
    ),
]


@pytest.mark.parametrize(("event", "alerts", "audit"), RECORDS, ids=[f"{row[0][0]} {row[0][1]}" for row in RECORDS])
def test_an_event_has_these_alerts_and_audit_entries(
    event: tuple[str, str, Facts, Facts],
    alerts: list[tuple[str, str, str]],
    audit: list[tuple[str, str, Facts]],
    sender: BusinessNumber,
) -> None:
    kind, name, value, fields = event
    keys = {"number": sender.pk}
    assert happens(kind, name, value, **fields) == [(one, key.format(**keys), why) for one, key, why in alerts]
    keys["hold"] = getattr(Hold.objects.first(), "pk", 0)
    assert list(AuditEntry.objects.order_by("pk").values_list("who", "action", "object", "details")) == [
        (META, action, on.format(**keys), details) for action, on, details in audit
    ]


def test_a_restriction_of_templates_holds_all_of_them_until_it_expires(sender: BusinessNumber) -> None:
    happens("account_update", "ACCOUNT_RESTRICTION", restricted(NEVER))
    assert held() == [("", "", META, f"{LIMITED}{NEVER}", IN_2100)]


def test_a_reinstated_account_may_send_again_and_has_no_restriction(sender: BusinessNumber) -> None:
    happens("account_update", "ACCOUNT_RESTRICTION", restricted(NEVER, ALL))
    hold, before = Hold.objects.get(), AuditEntry.objects.count()
    happens("account_update", "DISABLED_UPDATE", ban("REINSTATE"))
    sender.refresh_from_db()
    account = Account.objects.get(waba_id=WABA)
    assert (sender.paused_at, held(), account.restriction, account.ban_state) == (None, [], "", "REINSTATE")
    why = {"reason": "Meta has reinstated the account"}
    assert list(AuditEntry.objects.order_by("pk").values_list("who", "action", "object", "details"))[before:] == [
        (META, "ban", ACCOUNT, {"state": "REINSTATE"}),
        (META, "resume", f"hold {hold.pk}", why),
        (META, "resume", f"number {sender.pk}", why),
    ]


@pytest.mark.parametrize("state", ["DISABLE", "REINSTATE"])
def test_an_event_that_names_no_account_is_about_no_number(state: str, sender: BusinessNumber) -> None:
    paused_at = timezone.now() if state == "REINSTATE" else None
    BusinessNumber.objects.update(waba_id="", paused_at=paused_at, paused_by=META)
    happens("account_update", "DISABLED_UPDATE", ban(state), waba_id=None)
    sender.refresh_from_db()
    assert sender.paused_at == paused_at


def test_a_pause_says_by_whom_and_why(sender: BusinessNumber) -> None:
    happens("account_update", "ACCOUNT_DELETED")
    sender.refresh_from_db()
    assert (sender.paused_by, sender.pause_reason) == (META, "Meta has deleted the account")


# A text of the value, what is stored of it, and the longest that is.
TEXTS: list[tuple[tuple[str, str, Any, Facts], str, str, int]] = [
    (("account_review_update", "", lambda text: {"decision": text}, {}), "account", "review_status", 40),
    (("account_update", "DISABLED_UPDATE", ban, {}), "account", "ban_state", 40),
    (("account_update", "ACCOUNT_RESTRICTION", restricted, {}), "account", "restriction", 80),
    ((NUMBER_QUALITY, "ONBOARDING", lambda text: {"current_limit": text}, OF_NUMBER), "number", "messaging_limit", 40),
    ((NAME, "", lambda text: {"decision": text}, OF_NUMBER), "number", "name_status", 40),
    (
        (NAME, "", lambda text: {"decision": "APPROVED", "requested_verified_name": text}, OF_NUMBER),
        *("number", "verified_name", 255),
    ),
    ((QUALITY, "", lambda text: {**OFFER, "new_quality_score": text}, OF), "template", "quality", 20),
    ((CATEGORY, "", lambda text: {**OFFER, "new_category": text}, OF), "template", "category", 40),
    (
        (STATUS, "APPROVED", lambda text: {**OFFER, "message_template_category": text}, OF),
        *("template", "category", 40),
    ),
    ((STATUS, "APPROVED", lambda text: {**OFFER, "reason": text}, OF), "template", "reason", 255),
]


@pytest.mark.parametrize(("event", "table", "column", "longest"), TEXTS, ids=[f"{row[1]} {row[2]}" for row in TEXTS])
def test_a_text_of_meta_is_stored_unless_it_is_longer_than_its_column(
    event: tuple[str, str, Any, Facts], table: str, column: str, longest: int, sender: BusinessNumber
) -> None:
    stored: Any = {"account": Account.objects, "number": BusinessNumber.objects, "template": Template.objects}[table]
    kind, name, value, fields = event
    happens(kind, name, value("X" * longest), **fields)
    kept = stored.values_list(column, flat=True).get()
    happens(kind, name, value("Y" * (longest + 1)), **fields)
    assert (kept, "Y" in stored.values_list(column, flat=True).get()) == ("X" * longest, False)


def test_an_announced_category_that_is_longer_than_its_column_is_no_alert(sender: BusinessNumber) -> None:
    announced = ({**OFFER, "new_category": "A", "correct_category": "X" * length} for length in (40, 41))
    assert [len(happens(CATEGORY, "", value, **OF)) for value in announced] == [1, 0]


def test_twenty_restrictions_are_stored_within_their_column(sender: BusinessNumber) -> None:
    kinds = [f"R{n:02}" for n in range(25)]
    happens("account_update", "ACCOUNT_RESTRICTION", restricted(*kinds))
    first = Account.objects.get(waba_id=WABA).restriction
    happens("account_update", "ACCOUNT_RESTRICTION", restricted(*(f"{kind}{'x' * 70}" for kind in kinds)))
    assert (first, len(Account.objects.get(waba_id=WABA).restriction)) == (", ".join(kinds[:20]), 255)


@pytest.mark.parametrize("listed", [None, "x", 7, {"restriction_type": ALL}, [1, None, {}]], ids=str)
def test_restrictions_of_no_known_shape_pause_the_account(listed: Any, sender: BusinessNumber) -> None:
    happens("account_update", "ACCOUNT_RESTRICTION", {"restriction_info": listed})
    assert Account.objects.get(waba_id=WABA).restriction == "not named"


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "value", "facts"),
    [
        ("ONBOARDING", {"current_limit": "TIER_1K"}, {"messaging_limit": "TIER_1K", "throughput": "", "rate": 80}),
        ("ONBOARDING", {"current_limit": "NOT_SET"}, {"messaging_limit": "", "throughput": "", "rate": 80}),
        ("UPGRADE", {}, {"messaging_limit": "", "throughput": "", "rate": 80}),
        ("THROUGHPUT_UPGRADE", {}, {"messaging_limit": "", "throughput": "HIGH", "rate": 1000}),
    ],
)
def test_an_event_changes_the_limit_and_the_pace_of_its_number(
    event: str, value: Facts, facts: Facts, sender: BusinessNumber
) -> None:
    happens(NUMBER_QUALITY, event, value, **OF_NUMBER)
    assert BusinessNumber.objects.values(*facts).get() == facts


def test_an_upgrade_lowers_no_pace(sender: BusinessNumber) -> None:
    BusinessNumber.objects.update(rate=2000)
    happens(NUMBER_QUALITY, "THROUGHPUT_UPGRADE", **OF_NUMBER)
    assert BusinessNumber.objects.get().rate == 2000


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"phone_number_id": "id 2"}, ["id 2"]),
        ({"subject": "+1 555-0001"}, ["id 1", "id 4"]),
        ({"subject": "15550001", "phone_number_id": "id 2"}, ["id 1", "id 2", "id 4"]),
        ({"subject": "no digits"}, []),
        ({}, []),
    ],
    ids=str,
)
def test_an_event_is_about_the_number_that_it_names(fields: Facts, found: list[str]) -> None:
    rows = ((WABA, "+1 555 0001"), (WABA, "15550002"), ("another", "15550001"), ("", "15550001"), (WABA, ""))
    for n, (waba_id, shown) in enumerate(rows, 1):
        BusinessNumber.objects.create(phone_number_id=f"id {n}", waba_id=waba_id, display_phone_number=shown)
    happens(NUMBER_QUALITY, "FLAGGED", **fields)
    flagged = BusinessNumber.objects.filter(quality="RED").order_by("phone_number_id")
    assert list(flagged.values_list("phone_number_id", flat=True)) == found


def test_accounts_are_locked_in_one_order(sender: BusinessNumber) -> None:
    work = lambda: happens("account_review_update", "", {"decision": "APPROVED"})  # noqa: E731
    assert locks(work)[0] == "messaging_account by id: NO KEY UPDATE"


@pytest.mark.parametrize("value", [{}, {"message_template_language": "x" * 21}], ids=["no language", "no such one"])
def test_a_status_that_names_no_language_changes_nothing(value: Facts, sender: BusinessNumber) -> None:
    happens(STATUS, "PAUSED", value, **OF)
    assert list(Template.objects.values_list("language", "status")) == [("en", "APPROVED")]


def test_a_long_status_is_stored_within_its_column_with_its_time(sender: BusinessNumber) -> None:
    happens(STATUS, "S" * 50, {**OFFER, "reason": "NONE"}, timestamp=NOW, **OF)
    row = Template.objects.get()
    assert (row.status, row.status_at, row.reason) == ("S" * 40, NOW, "")


def test_other_components_make_a_sync_of_the_account_due(sender: BusinessNumber) -> None:
    Account.objects.create(waba_id="another")
    later = timezone.now() + timedelta(hours=1)
    Account.objects.update(templates_due_at=later)
    happens("message_template_components_update", "", OFFER, **OF)
    assert list(Account.objects.filter(templates_due_at__lt=later).values_list("waba_id", flat=True)) == [WABA]
