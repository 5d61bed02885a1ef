"""Images, audio, video, documents and stickers: a file that Meta has by `id`, or fetches by `link`.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from messaging.whatsapp.outbound.checks import UNSTATED, Check, also, exactly_one, flag, link, obj, text

MAX_CAPTION = 1024
MAX_MEDIA_ID = 128
_CAPTION = {"caption": text(MAX_CAPTION)}
_FILENAME = {"filename": text(UNSTATED)}


def _file(**optional: Check) -> Check:
    return also(obj({}, {"id": text(MAX_MEDIA_ID), "link": link, **optional}), exactly_one("id", "link"))


FILE = _file()
NAMED_FILE = _file(**_FILENAME)
IMAGE = _file(**_CAPTION)
VIDEO = _file(**_CAPTION)
AUDIO = _file(voice=flag)
DOCUMENT = _file(**_CAPTION, **_FILENAME)
STICKER = _file()
