"""Dimensions of costs: their columns, filters and names."""

import pytest

from analytics.costs.dimensions import DIMENSIONS, filters_of, namers
from messaging.models import ApiClient, BusinessNumber


def test_these_dimensions_exist() -> None:
    assert list(DIMENSIONS) == ["market", "category", "template", "campaign", "sender", "client"]


@pytest.mark.django_db
def test_a_filter_by_name_is_one_by_the_key_of_its_row() -> None:
    number = BusinessNumber.objects.create(phone_number_id="123")
    BusinessNumber.objects.create(phone_number_id="124")
    shop = ApiClient.objects.create(name="shop")
    values = {"sender": "123", "client": "shop", "category": "authentication-international", "market": "Germany"}
    expected = {"number_id": [number.pk], "client_id": [shop.pk], "category": ["authentication_international"]}
    assert filters_of(values, None) == {**expected, "market": ["Germany"]}
    assert filters_of({"client": "nobody", "sender": "9"}, None) == {"client_id": [], "number_id": []}
    assert (filters_of({"client": "nobody"}, 7), filters_of({}, 0)) == ({"client_id": [7]}, {"client_id": [0]})


@pytest.mark.django_db
def test_a_key_is_shown_by_the_name_of_its_row() -> None:
    number = BusinessNumber.objects.create(phone_number_id="123")
    shop = ApiClient.objects.create(name="shop")
    sender, client, market = namers(["sender", "client", "market"])
    assert (sender(number.pk), sender(0)) == ("123", "")
    assert (client(shop.pk), client(0), market("Germany")) == ("shop", "", "Germany")


@pytest.mark.django_db
def test_a_key_whose_row_is_gone_is_shown_itself() -> None:
    sender, client = namers(["sender", "client"])
    assert (sender(77), client(78)) == ("77", "78")
