"""Text messages."""

from __future__ import annotations

from .params import Param

MAX_BODY = 4096


def check(node: Param) -> None:
    """``{"body", "preview_url"?}``."""
    node.check_object("body", "preview_url")
    node.need("body").text(MAX_BODY)
    if preview := node.find("preview_url"):
        preview.flag()
