"""Messages that carry a file, which Meta has by ``id`` or fetches by ``link``."""

from __future__ import annotations

from .params import Param

MAX_CAPTION = 1024
MAX_FILENAME = 240
MAX_MEDIA_ID = 128


def check_file(node: Param, *optional: str) -> None:
    """``{"id" | "link"}`` and optional keys, which the caller checks."""
    node.check_object("id", "link", *optional)
    media_id, link = node.find("id"), node.find("link")
    if media_id and link:
        raise node.invalid("must have either id or link, not both")
    if media_id:
        media_id.text(MAX_MEDIA_ID)
    elif link:
        link.link()
    else:
        raise node.invalid("needs id or link")


def check_captioned(node: Param) -> None:
    """An image or a video."""
    check_file(node, "caption")
    _check_caption(node)


def check_document(node: Param) -> None:
    """A document; its name shows on the phone."""
    check_file(node, "caption", "filename")
    _check_caption(node)
    check_filename(node)


def check_audio(node: Param) -> None:
    """Audio, or a voice message; neither has a caption."""
    check_file(node, "voice")
    if voice := node.find("voice"):
        voice.flag()


def check_sticker(node: Param) -> None:
    """A sticker has no caption."""
    check_file(node)


def check_filename(node: Param) -> None:
    """The name of a document, in a message, a header or a template."""
    if filename := node.find("filename"):
        filename.line(MAX_FILENAME)


def _check_caption(node: Param) -> None:
    if caption := node.find("caption"):
        caption.text(MAX_CAPTION)
