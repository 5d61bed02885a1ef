"""Templates are synced from the Graph API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.message_templates import (
    StatusChange,
    TemplateKey,
    TemplateList,
    TemplateSync,
    fetch_templates,
    store_template,
    store_templates,
)
from messaging.message_templates.statuses import record_category, record_quality, record_status
from messaging.models import Account, Template, TemplateCategory
from messaging.whatsapp.errors import WhatsAppError
from messaging.whatsapp.graph import GraphApi, TemplateNode
from tests.messaging.lock_order import locks
from tests.messaging.sandbox.graph_api.calls import WABA
from tests.messaging.sandbox.process import Sandbox

pytestmark = pytest.mark.django_db
BODY = [{"type": "BODY", "text": "Hi {{1}}"}]
Put = Callable[..., Any]


@pytest.fixture
def put(sandbox: Sandbox) -> Put:
    return lambda name, **facts: sandbox.post("/_sandbox/templates", {"name": name, "components": BODY, **facts})


def sync(api: GraphApi, account: Account) -> TemplateSync:
    return store_templates(account.pk, fetch_templates(api, account.waba_id))


def node(name: str = "offer", **facts: Any) -> TemplateNode:
    given = {"template_id": "1", "language": "en", "status": "APPROVED", "category": "UTILITY", "components": ()}
    return TemplateNode(
        **{**given, "name": name, "parameter_format": "", "quality": "", "rejected_reason": "", **facts}
    )


def store(account: Account, *nodes: TemplateNode, requested_at: Any = None) -> TemplateSync:
    return store_templates(account.pk, TemplateList(nodes, requested_at or timezone.now()))


def statuses() -> dict[str, str]:
    return dict(Template.objects.filter(removed_at=None).values_list("name", "status"))


def test_all_templates_of_the_account_are_stored(api: GraphApi, account: Account) -> None:
    found = sync(api, account)
    row = Template.objects.get(name="order_update", language="en")
    assert (found.found, found.new, found.changed, found.removed, Template.objects.count()) == (12, 12, 0, 0, 12)
    assert (row.status, row.category, row.parameter_format, row.components[0]["type"]) == (
        *("APPROVED", "UTILITY", "NAMED", "BODY"),
    )


def test_the_account_says_when_it_was_synced(api: GraphApi, account: Account) -> None:
    sync(api, account)
    account.refresh_from_db()
    assert account.templates_synced_at


def test_every_page_is_read(api: GraphApi, account: Account, sandbox: Sandbox, put: Put) -> None:
    sandbox.post("/_sandbox/settings", {"template_limit": 600})
    for number in range(300):
        put(f"paged_{number}")
    said: list[int] = []
    found = store_templates(account.pk, fetch_templates(api, WABA, said.append))
    assert (found.found, Template.objects.count(), said) == (312, 312, [250])


def test_a_second_sync_finds_nothing_new(api: GraphApi, account: Account) -> None:
    sync(api, account)
    found = sync(api, account)
    assert (found.new, found.changed, found.removed, found.statuses) == (0, 0, 0, ())


def test_a_change_at_meta_is_taken_over(api: GraphApi, account: Account, put: Put) -> None:
    sync(api, account)
    put("offer", language="en", status="PAUSED")
    found = sync(api, account)
    assert (found.changed, [(each.before, each.after) for each in found.statuses]) == (1, [("APPROVED", "PAUSED")])


def test_a_template_that_meta_no_longer_has_is_removed(account: Account) -> None:
    store(account, node("offer"), node("bill"))
    found = store(account, node("bill"))
    gone = StatusChange(TemplateKey(WABA, "offer", "en"), "", "DELETED")
    assert (found.removed, found.statuses, statuses()) == (1, (gone,), {"bill": "APPROVED"})


def test_the_change_of_a_single_template_is_returned_once(account: Account) -> None:
    said = [
        store_template(account.pk, node(status=status, rejected_reason=reason), timezone.now())
        for status, reason in (("PENDING", "NONE"), ("PENDING", "NONE"), ("REJECTED", "SPAM"), ("REJECTED", "OTHER"))
    ]
    key = TemplateKey(WABA, "offer", "en")
    assert said == [
        (StatusChange(key, "", "PENDING"),), (), (StatusChange(key, "PENDING", "REJECTED", "SPAM"),), (),
    ]  # fmt: skip
    assert (Template.objects.get().reason, TemplateCategory.objects.get().category) == ("OTHER", "utility")


def test_a_sync_locks_its_account_without_blocking_messages(account: Account) -> None:
    works = (lambda: store(account, node()), lambda: store_template(account.pk, node(), timezone.now()))
    assert [locks(work) for work in works] == [["messaging_account by None: NO KEY UPDATE"]] * 2


def test_a_template_that_comes_back_is_no_longer_removed(account: Account) -> None:
    store(account, node())
    store(account)
    store(account, node())
    assert statuses() == {"offer": "APPROVED"}


def test_the_templates_of_another_account_stay(account: Account) -> None:
    other = Account.objects.create(waba_id="77")
    store(other, node())
    store(account)
    assert Template.objects.get().removed_at is None


def test_a_failing_sync_stores_nothing(api: GraphApi, db: None) -> None:
    other = Account.objects.create(waba_id="999")
    store(other, node())
    with pytest.raises(WhatsAppError):
        sync(api, other)
    other.refresh_from_db()
    assert statuses() == {"offer": "APPROVED"}


def test_a_status_that_a_webhook_sets_during_the_sync_stays(account: Account) -> None:
    requested_at = timezone.now() - timedelta(seconds=1)
    record_status(TemplateKey(WABA, "offer", "en"), "PAUSED", reason="", at=requested_at)
    store(account, node(), requested_at=requested_at)
    assert statuses() == {"offer": "PAUSED"}


def test_a_template_that_a_webhook_names_during_the_sync_is_not_removed(account: Account) -> None:
    requested_at = timezone.now() - timedelta(seconds=1)
    record_status(TemplateKey(WABA, "offer", "en"), "APPROVED", reason="", at=requested_at)
    store(account, requested_at=requested_at)
    assert statuses() == {"offer": "APPROVED"}


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        (("MARKETING", "UTILITY"), "marketing"),
        (("UTILITY", "UTILITY"), "utility"),
        (("", "AUTHENTICATION"), "authentication"),
    ],
)
def test_consent_goes_by_the_strictest_language(account: Account, categories: tuple[str, str], expected: str) -> None:
    store(account, node(language="de", category=categories[0]), node(language="en", category=categories[1]))
    assert TemplateCategory.objects.get().category == expected


def test_a_category_that_was_set_by_hand_gives_way_to_metas(account: Account) -> None:
    TemplateCategory.objects.create(name="offer", waba_id=WABA, category="utility")
    store(account, node(category="MARKETING"))
    assert TemplateCategory.objects.get().category == "marketing"


def test_a_page_of_templates_is_one_statement(account: Account) -> None:
    with CaptureQueriesContext(
        connection,
    ) as one:
        store(account, *[node(f"t{number}") for number in range(250)])
    with CaptureQueriesContext(connection) as two:
        store(account, *[node(f"t{number}", status="PAUSED") for number in range(500)])
    assert len(two) == len(one) + 1


def test_odd_facts_of_meta_are_stored_within_their_columns(account: Account) -> None:
    odd = node(
        "x" * 600, language="l" * 30, status="s" * 50, rejected_reason="r" * 300, template_id="1" * 40,
        category="c" * 50, quality="q" * 30, parameter_format="p" * 30,
    )  # fmt: skip
    # Twice: what is cut is the same template.
    for _ in range(2):
        store(account, odd, node(""), node(language=""))
    row = Template.objects.get()
    assert (len(row.name), len(row.language), row.status, len(row.reason)) == (512, 20, "S" * 40, 255)
    assert (len(row.template_id), row.category, len(row.quality)) == (32, "C" * 40, 20)
    assert (len(row.parameter_format), row.removed_at) == (20, None)


def test_templates_that_are_alike_within_their_columns_are_one(account: Account) -> None:
    names = [node("x" * 512 + letter) for letter in "ab"]
    languages = [node(language="l" * 20 + letter) for letter in "ab"]
    assert store(account, *names, *languages).found == 2


def test_a_category_and_a_quality_that_a_webhook_gives_during_a_sync_stay(account: Account) -> None:
    store(account, node())
    requested_at, key = timezone.now(), TemplateKey(account.waba_id, "offer", "en")
    record_category(key, "MARKETING", timezone.now())
    record_quality(key, "RED", timezone.now())
    store(account, node(quality="GREEN"), requested_at=requested_at)
    row = Template.objects.get()
    assert (row.category, row.quality, TemplateCategory.objects.get().category) == ("MARKETING", "RED", "marketing")


def test_the_next_sync_takes_over_the_category_that_meta_has(account: Account) -> None:
    store(account, node())
    record_category(TemplateKey(account.waba_id, "offer", "en"), "MARKETING", timezone.now())
    store(account, node())
    assert Template.objects.get().category == "UTILITY"
