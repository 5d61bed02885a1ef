"""A request that is repeated with its Idempotency-Key is carried out once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.accepting.sending_numbers import clear_number_cache
from messaging.access import clear_key_cache
from messaging.access.idempotency import sweep_idempotency_keys
from messaging.models import ApiClient, ApiKey, BusinessNumber, IdempotencyKey, Message
from tests.messaging.accepting.test_api import EXAMPLE, SEND
from tests.messaging.accepting.test_bulk import BULK, bodies

pytestmark = pytest.mark.django_db


def post(api: Any, key: str | None, body: Any = EXAMPLE, url: str = SEND) -> Any:
    return api.post(url, body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def client_named(name: str, key: str | None = None) -> APIClient:
    """A client's API, called with a new key of that client."""
    client = APIClient()
    owner, _ = ApiClient.objects.get_or_create(name=name)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key or ApiKey.issue(owner)[1]}")
    return client


def test_a_repeated_request_gets_the_same_answer_and_sends_nothing(api: APIClient) -> None:
    first, again = post(api, "order-1"), post(api, "order-1")
    assert (again.status_code, again.content, Message.objects.count()) == (first.status_code, first.content, 1)


def test_a_replayed_answer_has_the_replayed_header(api: APIClient) -> None:
    first, again = post(api, "order-1"), post(api, "order-1")
    assert [answer.headers.get("Idempotent-Replayed") for answer in (first, again)] == [None, "true"]


def test_the_order_of_the_fields_does_not_matter(api: APIClient) -> None:
    post(api, "order-1")
    assert post(api, "order-1", dict(reversed(EXAMPLE.items()))).status_code == 202


def test_another_body_under_the_key_is_409_naming_the_header(api: APIClient) -> None:
    post(api, "order-1")
    answer = post(api, "order-1", {**EXAMPLE, "priority": "low"})
    assert (answer.status_code, list(answer.data), Message.objects.count()) == (409, ["Idempotency-Key"], 1)


def test_another_key_is_another_request(api: APIClient) -> None:
    assert post(api, "order-1").data["id"] != post(api, "order-2").data["id"]


def test_one_key_covers_a_whole_bulk_with_its_invalid_items(api: APIClient) -> None:
    body = {"messages": [*bodies(3), {}]}
    first, again = post(api, "bulk-1", body, BULK), post(api, "bulk-1", body, BULK)
    assert (again.status_code, again.content, Message.objects.count()) == (202, first.content, 3)


def test_an_error_is_not_stored_so_a_corrected_request_may_keep_its_key(api: APIClient) -> None:
    refused = post(api, "order-1", {**EXAMPLE, "priority": "urgent"})
    assert (refused.status_code, post(api, "order-1").status_code) == (400, 202)


def test_a_bulk_without_a_valid_item_is_not_stored(api: APIClient) -> None:
    assert post(api, "bulk-1", {"messages": [{}]}, BULK).status_code == 400
    assert not IdempotencyKey.objects.exists()


def test_a_repeated_request_that_became_invalid_gets_its_first_answer(api: APIClient) -> None:
    body = {**EXAMPLE, "sender": "777"}
    BusinessNumber.objects.create(phone_number_id="777")
    first = post(api, "order-1", body)
    BusinessNumber.objects.update(phone_number_id="778")
    clear_number_cache()
    assert post(api, "order-1", body).content == first.content


def test_an_idempotency_key_belongs_to_the_client_and_not_to_its_api_key() -> None:
    first = post(client_named("shop"), "order-1")
    assert post(client_named("shop"), "order-1").content == first.content


def test_two_clients_may_use_the_same_key() -> None:
    assert post(client_named("shop"), "order-1").data["id"] != post(client_named("bank"), "order-1").data["id"]


@pytest.mark.parametrize("first", ["shop", "bank"])
def test_a_repeated_request_gets_the_answer_of_its_own_client(first: str) -> None:
    names = sorted(("shop", "bank"), key=lambda name: name != first)
    callers = {name: client_named(name) for name in names}
    given = {name: post(caller, "order-1").content for name, caller in callers.items()}
    assert {name: post(caller, "order-1").content for name, caller in callers.items()} == given


def test_a_refused_request_under_another_clients_key_is_refused() -> None:
    post(client_named("shop"), "order-1")
    refused = post(client_named("bank"), "order-1", {**EXAMPLE, "priority": "urgent"})
    assert (refused.status_code, list(refused.data)) == (400, ["priority"])


def test_a_request_that_became_invalid_does_not_get_another_clients_answer() -> None:
    body = {**EXAMPLE, "sender": "777"}
    BusinessNumber.objects.create(phone_number_id="777")
    post(client_named("shop"), "order-1", body)
    BusinessNumber.objects.update(phone_number_id="778")
    clear_number_cache()
    assert post(client_named("bank"), "order-1", body).status_code == 400


def staff(name: str) -> Client:
    """The API, called by a superuser in a browser."""
    browser = Client()
    browser.force_login(User.objects.get_or_create(username=name, is_staff=True, is_superuser=True)[0])
    return browser


def test_a_staff_account_that_repeats_a_request_sends_once() -> None:
    answers = [browser_post(staff("ann"), "a") for _ in range(2)]
    assert (answers[0].content == answers[1].content, Message.objects.count()) == (True, 1)


def test_two_staff_accounts_may_use_the_same_key() -> None:
    assert browser_post(staff("ann"), "a").json()["id"] != browser_post(staff("bob"), "a").json()["id"]


def test_staff_and_a_client_may_use_the_same_key(api: APIClient) -> None:
    assert browser_post(staff("ann"), "a").json()["id"] != post(api, "a").data["id"]


def browser_post(browser: Client, key: str) -> Any:
    return browser.post(SEND, EXAMPLE, content_type="application/json", headers={"Idempotency-Key": key})


@pytest.mark.parametrize("key", ["x", "x" * 255, "order 1/2 {a}", '"quoted"'])
def test_any_printable_ascii_is_a_key(key: str, api: APIClient) -> None:
    assert post(api, key).status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "t\tab", "\x7f", "ü", "\x00"])
def test_a_malformed_key_is_400_naming_the_header(key: str, api: APIClient) -> None:
    answer = post(api, key)
    assert (answer.status_code, list(answer.data), Message.objects.count()) == (400, ["Idempotency-Key"], 0)


def test_a_send_with_a_key_costs_three_queries(api: APIClient, django_assert_num_queries: Any) -> None:
    post(api, "order-1")
    clear_key_cache()
    with django_assert_num_queries(3):  # who calls, what the recipient has said, store it all
        post(api, "order-2")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", [SEND, BULK])
def test_concurrent_requests_with_one_key_send_once_and_get_one_answer(url: str, api_key: str) -> None:
    body = EXAMPLE if url == SEND else {"messages": bodies(50)}
    start = Barrier(8)

    def call(_: int) -> Any:
        client = client_named("shop", api_key)
        start.wait()
        try:
            return post(client, "order-1", body, url)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(call, range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert Message.objects.count() == (1 if url == SEND else 50)
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1


def test_a_key_is_deleted_after_seven_days_and_not_before(api: APIClient) -> None:
    for key, days in (("old", 7.01), ("young", 6.99)):
        post(api, key)
        IdempotencyKey.objects.filter(key=key).update(created_at=timezone.now() - timedelta(days=days))
    sweep_idempotency_keys()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["young"]
