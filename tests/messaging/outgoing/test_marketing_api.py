"""Marketing templates go by the Marketing Messages API where the number says so, and never twice."""

import time
from typing import Any

import pytest

from messaging.accepting.accept import NewMessage, accept
from messaging.models import Message, TemplateCategory
from messaging.outgoing import marketing_api
from messaging.outgoing.call_pool import CallPool
from messaging.outgoing.claims import claim
from messaging.outgoing.release import release
from messaging.whatsapp.client import CloudApi
from tests.messaging.factories import number
from tests.messaging.sandbox.conftest import only_receiver, only_sandbox, receiver, sandbox  # noqa: F401
from tests.messaging.sandbox.process import TOKEN, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
WABA = "102290129340398"


@pytest.fixture
def meta(sandbox: Sandbox) -> Sandbox:  # noqa: F811
    """The sandbox, with a marketing template whose category Meta has named."""
    sandbox.post("/_sandbox/reset")
    template = {"name": "spring", "language": "en_US", "category": "MARKETING", "status": "APPROVED"}
    body = {"type": "BODY", "text": "Hello"}
    sandbox.post("/_sandbox/templates", {**template, "components": [body]})
    TemplateCategory.objects.create(waba_id=WABA, name="spring", category="marketing")
    number(marketing_api=True, waba_id=WABA)
    return sandbox


def send(meta: Sandbox, count: int = 1, name: str = "spring", pool: CallPool | None = None) -> list[str]:
    """Send this template to so many; their statuses."""
    content: dict[str, object] = {"name": name, "language": "en_US", "components": []}
    rows = [
        accept([NewMessage(f"15551{time.monotonic_ns() % 10**6:06}", "template", content, number())])[0]
        for _ in range(count)
    ]
    own = pool or calls(meta)
    for batch in release(number().pk):
        for row in claim([batch]):
            own.send(row)
    assert own.drain(20)
    if pool is None:
        own.close(10)
    found = dict(Message.objects.values_list("pk", "status"))
    return [found[row.pk] for row in rows]


def calls(meta: Sandbox) -> CallPool:
    api = CloudApi(f"http://127.0.0.1:{meta.port}", "v25.0", TOKEN)
    return CallPool(lambda _: api, max_calls=5)


def ways(meta: Sandbox) -> list[bool]:
    """Of each accepted message: whether it came by the Marketing Messages API."""
    return [message["marketing"] for message in meta.request("GET", "/_sandbox/ledger")[1]["messages"]]


def test_a_marketing_template_goes_by_the_marketing_api(meta: Sandbox) -> None:
    assert (send(meta), ways(meta)) == (["accepted"], [True])


@pytest.mark.parametrize("change", ["number", "category", "account"])
def test_all_other_messages_go_by_the_cloud_api(change: str, meta: Sandbox) -> None:
    match change:
        case "number":
            number(marketing_api=False)
        case "category":
            TemplateCategory.objects.update(category="utility")
        case _:
            TemplateCategory.objects.update(waba_id="77")
    assert (send(meta), ways(meta)) == (["accepted"], [False])


def test_an_account_without_the_api_sends_by_the_cloud_api_and_asks_once(meta: Sandbox, caplog: Any) -> None:
    meta.post("/_sandbox/settings", {"marketing_api": False})
    pool = calls(meta)
    assert send(meta, pool=pool) + send(meta, pool=pool) == ["accepted", "accepted"]
    pool.close(10)
    assert ways(meta) == [False, False]
    assert len([record for record in caplog.records if record.name == marketing_api.__name__]) == 1
    assert number().paused_at is None


def test_a_template_that_is_no_marketing_template_any_more_goes_by_the_cloud_api(meta: Sandbox) -> None:
    TemplateCategory.objects.create(waba_id=WABA, name="hello_world", category="marketing")
    assert (send(meta, name="hello_world"), ways(meta)) == (["accepted"], [False])


@pytest.mark.parametrize(
    ("outcome", "status", "accepted"),
    [({"status": 500}, "unknown", 0), ({"drop": "after_accept"}, "unknown", 1), ({"error": 131026}, "failed", 0)],
)
def test_whatever_else_happens_is_not_sent_a_second_time(
    outcome: dict[str, Any], status: str, accepted: int, meta: Sandbox
) -> None:
    meta.post("/_sandbox/faults", {"outcome": outcome})
    assert (send(meta), len(ways(meta))) == ([status], accepted)
