"""Images, audio, video, documents and stickers: a file that Meta has by `id`, or fetches by `link`.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from messaging.whatsapp.outbound.checks import (
    Check,
    boolean,
    exactly_one,
    link,
    object_of,
    single_line,
    visible_text,
    with_rule,
)

MAX_CAPTION = 1024
MAX_MEDIA_ID = 128
# Longer names do not fit into the file systems of phones.
MAX_FILENAME = 240
_CAPTION = {"caption": visible_text(MAX_CAPTION)}
_FILENAME = {"filename": single_line(MAX_FILENAME)}


def _file(**optional: Check) -> Check:
    return with_rule(
        object_of({}, {"id": visible_text(MAX_MEDIA_ID), "link": link, **optional}), exactly_one("id", "link")
    )


FILE = _file()
NAMED_FILE = _file(**_FILENAME)
IMAGE = _file(**_CAPTION)
VIDEO = _file(**_CAPTION)
AUDIO = _file(voice=boolean)
DOCUMENT = _file(**_CAPTION, **_FILENAME)
STICKER = _file()
