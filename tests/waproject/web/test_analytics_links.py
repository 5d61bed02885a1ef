"""Links to the analytics page from pages below analytics."""

from typing import Any

from waproject.web.analytics_links import analytics_link, analytics_url


def test_a_link_has_the_filters_that_are_set() -> None:
    assert (
        analytics_link("Spring", campaign="spring", template="") == '<a href="/analytics/?campaign=spring">Spring</a>'
    )


def test_there_is_no_link_where_the_page_is_not_installed(settings: Any) -> None:
    settings.ROOT_URLCONF = "messaging.urls"
    assert (analytics_url(), analytics_link("Spring")) == ("", "")
