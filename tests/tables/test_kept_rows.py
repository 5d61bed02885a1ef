"""Copied rows are those that were made, and nobody else's."""

from typing import Any

import pytest

from messaging.models import ApiClient, ApiKey, Message
from tests.analytics.rollups.factories import NOON, outbound
from tests.tables.kept_rows import fill

made: list[str] = []


def make(name: str) -> None:
    made.append(name)
    client = ApiClient.objects.create(name=name)
    ApiKey.issue(client)
    outbound(NOON, client=client)


def rows() -> list[Any]:
    return [*ApiClient.objects.values(), *ApiKey.objects.values(), *Message.objects.values()]


before: list[Any] = []


@pytest.mark.parametrize("transaction", ["first", "second", "third"])
@pytest.mark.django_db
def test_each_test_has_the_rows_that_were_made_once(transaction: str) -> None:
    fill(make, "shop")
    before[:] = before or rows()
    assert (rows(), made.count("shop"), len(before)) == (before, 1, 3)


@pytest.mark.parametrize("transaction", ["first", "second"])
@pytest.mark.django_db(transaction=True)
def test_rows_that_were_there_before_are_not_kept(transaction: str) -> None:
    own = ApiClient.objects.create(name=transaction)
    fill(make, "other")
    assert set(ApiClient.objects.values_list("name", flat=True)) == {own.name, "other"}
    assert ApiClient.objects.create(name="next").pk > own.pk


@pytest.mark.django_db
def test_other_arguments_make_other_rows() -> None:
    fill(make, "shop")
    fill(make, "club")
    assert set(ApiClient.objects.values_list("name", flat=True)) == {"shop", "club"}
