"""Updates of erased messages are dropped by the digests of their wamids."""

import pytest

from messaging.erasure import without_erased
from messaging.erasure.wamid_digests import digest_of
from messaging.models import ErasedWamid
from messaging.whatsapp.inbound import normalise
from tests.messaging.bodies import inbound_text, status, webhook


@pytest.mark.django_db
def test_updates_of_erased_messages_are_left_out_and_no_others() -> None:
    read = normalise(webhook(inbound_text("wamid.A"), inbound_text("wamid.B"), statuses=(
        status("read", "wamid.C"), status("read", "wamid.D"))))  # fmt: skip
    assert without_erased(read) == read
    for wamid in ("wamid.A", "wamid.D"):
        ErasedWamid.objects.create(digest=digest_of(wamid))
    left = without_erased(read)
    assert ([one.wamid for one in left.messages], [one.wamid for one in left.statuses]) == (["wamid.B"], ["wamid.C"])


def test_a_digest_is_the_first_half_of_a_sha_256() -> None:
    assert digest_of("wamid.A") == "6184146d08672ad0e062410e741150ce"
