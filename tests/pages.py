"""Pages in headless Chromium, as a member of staff sees them. Its fixtures are those of all tests (conftest.py)."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.waiting import PATIENCE_S, eventually

CHROMIUM = Path("/usr/bin/chromium")
# Without the pages behind the address bar: two processes for each page of a test, a quarter of Chromium's CPU time. The
# switch replaces Playwright's own, whose features follow: what would ask other hosts, or draw or load differently.
DISABLED_FEATURES = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "AimEnabled",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
ARGUMENTS = ["--no-sandbox", f"--disable-features={','.join(DISABLED_FEATURES)}"]
needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}; Debian's package chromium brings it"
)
LOOKS = [
    {"viewport": {"width": width, "height": height}, "color_scheme": theme}
    for width, height in ((390, 844), (1440, 900))
    for theme in ("light", "dark")
]


# axe-core is asked for two of them, each theme and each width once: it takes longer than the rest of a page's test.
AXE_LOOKS = (LOOKS[1], LOOKS[2])
THEMES = ("light", "dark")
# /api/docs/ reads the description of the API after it has loaded, and draws its operations from it.
SWAGGER_IS_DRAWN = "document.querySelectorAll('.opblock-tag').length > 0"
# Opens a path as superuser ann; keyword arguments are those of a Playwright context.
OpenPage = Callable[..., Any]


def name_of(look: Any) -> str:
    """For a test's id, and a screenshot's file."""
    return f"{look['color_scheme']}-{look['viewport']['width']}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for all tests of a module."""
    # Playwright's loop runs in this thread, which Django takes for an async context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(browser: Any, live_server: Any) -> Iterator[OpenPage]:
    """Opens a path of the site as superuser ann.

    At the end no page may have broken, or have asked another host for anything.
    """
    opened = []

    def open_path(path: str, **options: Any) -> Any:
        page = new_page(browser, live_server.url, **options)
        page.context.add_cookies([{"name": "sessionid", "value": _session_of_ann(), "url": live_server.url}])
        page.goto(path)
        opened.append(page)
        return page

    yield open_path
    for page in opened:
        assert (page.errors, page.foreign) == ([], []), (page.errors, page.foreign)
        page.context.close()


def new_page(browser: Any, site: str, **options: Any) -> Any:
    """An empty page in a context of its own; `foreign` collects requests to other hosts, `errors` what broke."""
    context = browser.new_context(base_url=site, **options)
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    page.foreign, page.errors = [], []
    ours = (site, "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(ours) or page.foreign.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


def _session_of_ann() -> str:
    client = Client()
    client.force_login(User.objects.get_or_create(username="ann", defaults={"is_staff": True, "is_superuser": True})[0])
    return client.cookies["sessionid"].value


def check_looks(
    page: Any, theme: str, name: str, *, axe: bool = True, wait: Callable[[Any, Any], None] | None = None
) -> None:
    """The page as it is, in both widths of the theme it was loaded in: it fits, hides no text, and can be read by all.

    name: of the screenshots. axe: whether to ask axe-core. wait: before each look, where a page draws itself anew.
    """
    for look in both_widths(page, theme):
        if wait:
            wait(page, look)
        picture(page, f"{name}-{name_of(look)}")
        faults = serious_faults_in(look, page) if axe else []
        assert (faults, overhang(page, look), cut_cells(page)) == ([], 0, 0), f"{name}, {name_of(look)}"


def wait_until(page: Any, condition: str, argument: object = None) -> None:
    """Wait for a JavaScript expression, or a function of the argument, to be true.

    Playwright's own wait_for_function evaluates an expression inside the page from the second look on. The Content
    Security Policy of these pages refuses that: it fails whenever the expression is not true at once.
    """
    assert eventually(lambda: page.evaluate(condition, argument), every=0.02), condition


def both_widths(page: Any, theme: str) -> Iterator[Any]:
    """Both looks of the theme in which the page was loaded, one after the other; a phone's first."""
    for look in LOOKS:
        if look["color_scheme"] == theme:
            page.set_viewport_size(look["viewport"])
            yield look


def overhang(page: Any, look: Any) -> int:
    """The pixels by which it is too wide for its window."""
    return int(page.evaluate("document.documentElement.scrollWidth")) - int(look["viewport"]["width"])


def scrolling_regions(page: Any) -> list[str]:
    """The names, else the classes, of the parts of a page that hide what does not fit until one scrolls sideways."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll("body *")].filter((element) =>
              element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1
              && ["auto", "scroll"].includes(getComputedStyle(element).overflowX)
            ).map((element) => element.getAttribute("aria-label") || element.className || element.tagName)"""
        )
    )


def cut_cells(page: Any) -> int:
    """The cells of a list that hide a part of their text."""
    cells = "[...document.querySelectorAll('#result_list td')]"
    return int(page.evaluate(f"{cells}.filter(cell => cell.scrollHeight > cell.clientHeight + 1).length"))


def wait_until_it_fits(page: Any, look: Any) -> None:
    """Charts are drawn anew a moment after the window's width has changed."""
    wait_until(page, "width => document.documentElement.scrollWidth === width", look["viewport"]["width"])


def faults_in(look: Any, page: Any) -> list[tuple[str, str]]:
    """All that axe-core finds wrong: the rule, and the first place. Nothing in a look in which it is not asked."""
    return [(rule, place) for _, rule, place in _violations(page)] if look in AXE_LOOKS else []


def serious_faults_in(look: Any, page: Any) -> list[tuple[str, str]]:
    """Of those, what it calls serious or critical."""
    return serious_faults(page) if look in AXE_LOOKS else []


def serious_faults(page: Any) -> list[tuple[str, str]]:
    """The same, whatever the look."""
    return [(rule, place) for impact, rule, place in _violations(page) if impact in {"serious", "critical"}]


def _violations(page: Any) -> list[tuple[str, str, str]]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(fault["impact"], fault["id"], fault["nodes"][0]["html"]) for fault in found]


def picture(page: Any, name: str) -> None:
    """Keep a screenshot in the directory SCREENSHOTS, if it is set."""
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)
