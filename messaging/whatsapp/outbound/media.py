"""Images, audio, video, documents and stickers: a file that Meta has by `id`, or fetches by `link`.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from messaging.whatsapp.outbound.checks import Check, also, exactly_one, flag, line, link, obj, shown

MAX_CAPTION = 1024
MAX_MEDIA_ID = 128
# Longer names do not fit into the file systems of phones.
MAX_FILENAME = 240
_CAPTION = {"caption": shown(MAX_CAPTION)}
_FILENAME = {"filename": line(MAX_FILENAME)}


def _file(**optional: Check) -> Check:
    return also(obj({}, {"id": shown(MAX_MEDIA_ID), "link": link, **optional}), exactly_one("id", "link"))


FILE = _file()
NAMED_FILE = _file(**_FILENAME)
IMAGE = _file(**_CAPTION)
VIDEO = _file(**_CAPTION)
AUDIO = _file(voice=flag)
DOCUMENT = _file(**_CAPTION, **_FILENAME)
STICKER = _file()
