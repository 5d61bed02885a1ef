"""A flame graph shows each call as wide as its share of the samples."""

from xml.etree import ElementTree

import pytest

from bench.report import flame

SVG = "{http://www.w3.org/2000/svg}"
LINES = [
    "app (messaging/a.py);execute (django/db.py) 60",
    "app (messaging/a.py);app (messaging/a.py);dumps (json/__init__.py) 39",
    "app (messaging/a.py);rare (x.py) 1",
]


@pytest.fixture
def boxes() -> dict[str, tuple[str, float]]:
    """Kind and width of each box, by its title."""
    picture = ElementTree.fromstring(flame.draw(flame.read(LINES), "A <title>"))  # noqa: S314 - drawn here
    found = {}
    for group in picture.iter(f"{SVG}g"):
        title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None and rect is not None
        found[title.text or ""] = (rect.get("class") or "", float(rect.get("width") or 0))
    return found


def test_a_call_is_as_wide_as_its_share_and_has_the_colour_of_its_owner(boxes: dict[str, tuple[str, float]]) -> None:
    assert boxes["app (messaging/a.py), 100.0%"] == ("ours", flame.WIDTH)
    assert boxes["execute (django/db.py), 60.0%"] == ("django", flame.WIDTH * 0.6)


def test_a_function_that_calls_itself_is_one_box(boxes: dict[str, tuple[str, float]]) -> None:
    assert boxes["dumps (json/__init__.py), 39.0%"] == ("other", flame.WIDTH * 0.39)
    assert sum(title.startswith("app ") for title in boxes) == 1


def test_a_call_below_the_least_share_is_left_out() -> None:
    lines = ["app (messaging/a.py) 999", "app (messaging/a.py);rare (x.py) 1"]
    assert "rare" not in flame.draw(flame.read(lines), "title")


def test_wrappers_around_every_call_are_left_out() -> None:
    tree = flame.read(["MiddlewareMixin.__call__ (django/utils/deprecation.py);view (messaging/a.py) 2"])
    assert list(tree.calls) == ["view (messaging/a.py)"]
