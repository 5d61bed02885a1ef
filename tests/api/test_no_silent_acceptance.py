"""Nothing that a caller got wrong is passed over in silence."""

from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from rest_framework.test import APIClient

from deploy.local.sqs import Sqs
from messaging.accepting.sending_numbers import clear_number_cache
from messaging.accepting.waiting_warnings import clear_hold_cache
from messaging.models import BusinessNumber, Hold, Message, TemplateCategory
from messaging.whatsapp.errors import Misconfigured
from tests.api.test_permissions import ALONE, MESSAGE, SUBSCRIPTION
from tests.messaging.accepting.test_api import SEND, send
from tests.messaging.factories import answered, claimed, number
from tests.messaging.messages.test_admin import act, operator
from tests.messaging.subscriptions.factories import subscription
from waproject.web.api.views import StrictQueries

pytestmark = pytest.mark.django_db
__all__ = ["operator"]
MESSAGES = "/messaging/messages"
OPEN_TO_STAFF = ("/messaging/queue/status", "/monitoring/summary", "/monitoring/metrics", "/monitoring/provider")
BODY = {"phone_number": "+16502530000", "message_type": "text", "message_data": {"content": "hi"}}
TEMPLATE = {"name": "order_update", "language": "en_US"}


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (MESSAGES, ["campaign", "status", "cursor", "page_size"]),
        ("/messaging/subscriptions", ["cursor", "page_size"]),
        ("/messaging/subscriptions/ID/deliveries", ["event", "state", "cursor"]),
        ("/monitoring/alerts", ["state"]),
    ],
)
def test_an_unknown_query_parameter_is_400_naming_it_and_the_allowed_ones(
    path: str, known: list[str], api: APIClient
) -> None:
    path = path.replace("ID", str(mine().pk))
    answer = api.get(path, {"campain": "spring"})
    assert (answer.status_code, list(answer.data)) == (400, ["campain"])
    assert all(name in str(answer.data["campain"]) for name in known)


def mine() -> Any:
    from messaging.models import ApiClient

    return subscription(client=ApiClient.objects.get(name="shop"))


@pytest.mark.parametrize(("method", "path"), ALONE, ids=" ".join)
def test_no_endpoint_passes_over_an_unknown_query_parameter(
    method: str, path: str, admin_client: Client, sqs_server: Sqs
) -> None:
    path = path.replace(MESSAGE, str(subscription().pk)) if path.startswith(SUBSCRIPTION) else path
    answer = getattr(admin_client, method)(f"{path}?estimat=true", content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["estimat"])


@pytest.mark.parametrize("path", OPEN_TO_STAFF)
def test_no_page_of_the_pipeline_passes_over_an_unknown_query_parameter(path: str, admin_client: Client) -> None:
    assert admin_client.get(f"{path}?campain=spring").json().keys() == {"campain"}


ACTIONS = [
    *(f"/messaging/messages/{MESSAGE}/{action}" for action in ("cancel", "retry")),
    *(f"/messaging/campaigns/spring/{action}" for action in ("hold", "resume")),
    *(f"{SUBSCRIPTION}/{MESSAGE}/{action}" for action in ("rotate", "test")),
    f"/messaging/deliveries/{MESSAGE}/replay",
    "/monitoring/moves/1/stop",
]


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize(("body", "named"), [({"until": "2026-12-24T18:00:00Z"}, "until"), (["now"], "detail")])
def test_an_action_that_takes_no_body_passes_over_none(
    path: str, body: object, named: str, admin_client: Client
) -> None:
    answer = admin_client.post(path, body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {named: ["This endpoint takes no body."]})


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize("body", ["", "{}"])
def test_an_action_takes_an_empty_body(path: str, body: str, admin_client: Client) -> None:
    assert admin_client.post(path, body, content_type="application/json").status_code == 404


def test_the_actions_are_those_that_take_no_body() -> None:
    views = {resolve(path).func.view_class for path in ACTIONS}  # type: ignore[attr-defined]
    assert {view.__name__ for view in views} == {
        view.__name__ for view in kinds_of(StrictQueries) if view.takes_no_body and not _of_a_test(view)
    }


def _of_a_test(view: type[StrictQueries]) -> bool:
    return view.__module__.startswith("tests.")


def kinds_of(view: type[StrictQueries]) -> set[type[StrictQueries]]:
    return {view}.union(*map(kinds_of, view.__subclasses__()))


def test_a_misspelt_wish_for_an_estimate_sends_nothing(api: APIClient) -> None:
    answer = api.post(f"{SEND}?estimat=true", BODY, format="json")
    assert (answer.status_code, Message.objects.count()) == (400, 0)


@pytest.mark.parametrize("query", [{}, {"campaign": "spring"}, {"format": "json"}, {"status": "read", "page_size": 5}])
def test_known_query_parameters_are_taken(query: dict[str, Any], api: APIClient) -> None:
    assert api.get(MESSAGES, query).status_code == 200


LISTS = {
    MESSAGES: (
        "campaign",
        "cursor",
        "direction",
        "page_size",
        "reference",
        "sender",
        "status",
        "type",
        "wamid",
    ),
    "/messaging/subscriptions": ("cursor", "page_size"),
    "/messaging/subscriptions/ID/deliveries": ("event", "state"),
    "/analytics/events": ("event_type", "contact", "page_size"),
    "/analytics/summary": ("campaign", "group_by"),
    "/analytics/costs": ("campaign",),
    "/monitoring/alerts": ("state",),
}
PARAMETERS = [(path, name) for path, names in LISTS.items() for name in names]


@pytest.mark.parametrize("value", ["", "%20", "%C2%85"])
@pytest.mark.parametrize(("path", "name"), PARAMETERS)
def test_an_empty_parameter_does_not_list_everything(path: str, name: str, value: str, api: APIClient) -> None:
    answer = api.get(f"{path.replace('ID', str(mine().pk))}?{name}={value}")
    assert (answer.status_code, list(answer.json())) == (400, [name])


@pytest.mark.parametrize(("path", "name"), [one for one in PARAMETERS if one != (MESSAGES, "status")])
def test_of_two_values_none_is_left_out_in_silence(path: str, name: str, api: APIClient) -> None:
    answer = api.get(f"{path.replace('ID', str(mine().pk))}?{name}=1&{name}=2")
    assert (answer.status_code, list(answer.json())) == (400, [name])


@pytest.mark.parametrize("path", [MESSAGES, "/analytics/summary", "/analytics/costs", "/messaging/queue/status"])
def test_an_empty_format_is_no_format(path: str, api: APIClient) -> None:
    answer = api.get(f"{path}?format=")
    assert (answer.status_code, list(answer.json())) == (400, ["format"])


def test_several_statuses_may_be_asked_for(api: APIClient) -> None:
    assert api.get(f"{MESSAGES}?status=read&status=sent").status_code == 200


@pytest.mark.parametrize(("field", "allowed"), [("status", "delivered"), ("direction", "inbound")])
def test_a_filter_lists_its_allowed_values(field: str, allowed: str, api: APIClient) -> None:
    answer = api.get(MESSAGES, {field: "nonsense"})
    assert answer.status_code == 400 and allowed in str(answer.data[field])


@pytest.mark.parametrize(
    ("field", "allowed"), [("message_type", "sticker"), ("priority", "high"), ("on_unknown", "wait")]
)
def test_a_field_lists_its_allowed_values(field: str, allowed: str, api: APIClient) -> None:
    answer = send(api, **{field: "nonsense"})
    assert answer.status_code == 400 and allowed in str(answer.data[field])


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (SEND, {"phone": "+16502530000", "message_type": "text"}, {"phone", "phone_number", "message_data"}),
        ("/messaging/analytics", {"type": "a"}, {"type", "event_type"}),
        ("/messaging/subscriptions", {"uri": "https://example.com"}, {"uri", "url"}),
    ],
)
def test_unknown_fields_are_named_beside_missing_ones(
    path: str, body: dict[str, Any], named: set[str], api: APIClient
) -> None:
    assert set(api.post(path, body, format="json").data) == named


@pytest.mark.parametrize("path", [MESSAGES, "/messaging/queue/status", "/monitoring/alerts"])
def test_the_refusal_of_a_request_without_a_key_names_the_header(path: str) -> None:
    assert "Authorization: Bearer" in APIClient().get(path).json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/messaging/nothing", "/messaging/messages/abc", "/messaging/send/", "/nothing", "/monitoring/moves/x",
        "/messaging/messages/01a20db4-5a3e-7a0b-8a52-0f6f5ad1c0de",
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"Accept": "*/*"}])
def test_a_wrong_path_or_id_answers_json(path: str, headers: dict[str, str], api: APIClient) -> None:
    answer = api.get(path, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
    assert answer.json()["detail"]


def pause() -> None:
    number(paused_at=timezone.now())


def hold_campaign() -> None:
    Hold.objects.create(kind="campaign", key="spring", by="ann")


@pytest.mark.parametrize(("make", "word"), [(pause, "paused"), (hold_campaign, "campaign spring"), (None, None)])
def test_a_202_warns_of_what_makes_the_message_wait(make: Any, word: str | None, api: APIClient) -> None:
    if make:
        make()
    forget()
    answer = send(api, phone_number="+16502530000", campaign="spring")
    warnings = [text for text in answer.data.get("warnings", []) if "waits until" in text]
    assert (answer.status_code, [word in text for text in warnings if word]) == (202, [True] if word else [])


def test_a_202_warns_of_a_held_template(api: APIClient) -> None:
    Hold.objects.create(kind="template", key=TEMPLATE["name"], by="ann")
    forget()
    answer = send(api, phone_number="+16502530000", message_type="template", message_data=TEMPLATE)
    assert f"The template {TEMPLATE['name']} is held" in str(answer.data["warnings"])


def forget() -> None:
    clear_number_cache()
    clear_hold_cache()


def test_another_clients_held_campaign_is_no_warning(api: APIClient) -> None:
    from messaging.models import ApiClient

    Hold.objects.create(kind="campaign", key="spring", by="bank", client=ApiClient.objects.create(name="bank"))
    assert "held" not in str(send(api, phone_number="+16502530000", campaign="spring").data)


def test_a_resumed_number_whose_first_message_was_refused_says_which(operator: Client) -> None:
    row = claimed()
    answered(row, Misconfigured(code=131042, title="Business eligibility payment issue", http_status=400))
    page = act(operator, "businessnumber", "resume", BusinessNumber.objects.get().pk).content.decode()
    assert f"/admin/messaging/message/{row.message_id}/change/" in page


@pytest.mark.parametrize(("category", "rows"), [("marketing", 1), ("utility", 1), ("markting", 0), ("", 0)])
def test_a_template_category_is_one_of_metas(category: str, rows: int, operator: Client) -> None:
    operator.post("/admin/messaging/templatecategory/add/", {"name": "hello", "category": category, "waba_id": ""})
    assert TemplateCategory.objects.count() == rows


@pytest.mark.parametrize(("given", "rows"), [("123456789", 1), ("+1 555", 0), ("12a", 0), ("", 0)])
def test_a_numbers_id_is_digits(given: str, rows: int, operator: Client) -> None:
    operator.post("/admin/messaging/businessnumber/add/", {"phone_number_id": given, "rate": 80, "failures": 0})
    assert BusinessNumber.objects.filter(phone_number_id=given).count() == rows


@pytest.mark.parametrize("name", ["created_after", "created_before"])
def test_a_time_without_a_value_is_refused(name: str, api: Any) -> None:
    answer = api.get(f"/messaging/messages?{name}=")
    assert (answer.status_code, list(answer.json())) == (400, [name])
