"""Authentication of API requests."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.access import authentication, clear_key_cache
from messaging.models import ApiClient, ApiKey

pytestmark = pytest.mark.django_db
LIST = "/messaging/messages"


def call(header: str) -> Any:
    return APIClient().get(LIST, HTTP_AUTHORIZATION=header)


def refused(answer: Any) -> bool:
    return (answer.status_code, answer.headers.get("WWW-Authenticate")) == (401, "Bearer")


def test_a_request_without_a_key_is_401() -> None:
    assert refused(APIClient().get(LIST))


BAD = ["Bearer", "Bearer ", "Bearer x", "Bearer wak__x", "Bearer wak_a_b_c", "Basic eDp5", "wak_abcdefgh_x"]
BAD += ["Bearer wak_abcdefgh_unknown", "Bearer wak_\x00_x", "Bearer wak_\xe9_x"]


@pytest.mark.parametrize("header", BAD)
def test_a_malformed_or_unknown_key_is_401(header: str) -> None:
    assert refused(call(header))


def test_the_right_prefix_with_a_wrong_secret_is_401(api_key: str) -> None:
    assert refused(call(f"Bearer {api_key[:-1]}{'a' if api_key[-1] != 'a' else 'b'}"))


def test_a_revoked_key_is_401(api_key: str) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())
    assert refused(call(f"Bearer {api_key}"))


def test_a_key_of_an_inactive_client_is_401(api_key: str) -> None:
    ApiClient.objects.update(active=False)
    assert refused(call(f"Bearer {api_key}"))


def test_the_keyword_may_be_written_in_any_case(api_key: str) -> None:
    assert call(f"bearer {api_key}").status_code == 200


def test_the_use_of_a_key_is_recorded(api_key: str) -> None:
    call(f"Bearer {api_key}")
    used = ApiKey.objects.get().last_used_at
    assert used is not None
    assert timezone.now() - used < timedelta(minutes=1)


def test_the_use_of_a_key_is_not_recorded_at_every_request(api_key: str, django_assert_num_queries: Any) -> None:
    call(f"Bearer {api_key}")
    clear_key_cache()
    with django_assert_num_queries(2):
        call(f"Bearer {api_key}")


def test_requests_within_a_second_share_the_look_up_of_their_key(api_key: str, django_assert_num_queries: Any) -> None:
    call(f"Bearer {api_key}")
    with django_assert_num_queries(1):
        call(f"Bearer {api_key}")


@pytest.mark.parametrize(
    "end", [lambda: ApiClient.objects.update(active=False), lambda: ApiKey.objects.update(revoked_at=timezone.now())]
)
def test_a_key_that_was_just_used_is_refused_a_second_after_it_ends(
    api_key: str, end: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(f"Bearer {api_key}")
    end()
    later = time.monotonic() + authentication.CACHED_S
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert refused(call(f"Bearer {api_key}"))


def test_a_cached_key_still_needs_its_secret(api_key: str) -> None:
    call(f"Bearer {api_key}")
    assert refused(call(f"Bearer {api_key[:-1]}{'a' if api_key[-1] != 'a' else 'b'}"))


def test_the_database_does_not_hold_the_key(api_key: str) -> None:
    stored = serializers.serialize("json", ApiKey.objects.all())
    assert api_key.split("_")[2] not in stored
