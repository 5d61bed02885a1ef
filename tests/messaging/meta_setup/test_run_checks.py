"""The examination of the set-up."""

from typing import Any

from django.urls import reverse

from messaging.meta_setup.run_checks import callback_url


def test_the_address_that_is_checked_is_that_of_the_webhook(settings: Any) -> None:
    settings.BASE_URL = "https://shop.example"
    assert callback_url() == f"https://shop.example{reverse('webhook')}"
