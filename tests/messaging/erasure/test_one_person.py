"""Export and erasure find the same rows of a person, whichever of the person's numbers one gives."""

import json
import zipfile
from pathlib import Path

import pytest

from messaging.erasure.erase import erase
from messaging.erasure.export import export
from messaging.erasure.person import person_of
from messaging.models import WhatsAppId
from messaging.states import Status
from tests.messaging.factories import in_state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("files", "sqs")]
# A number that its country changed twice: Meta's answers join the first with the second, the second with the third.
FIRST, SECOND, THIRD = "22997000000", "2290197000000", "2290297000000"
STRANGER = "15557654321"


@pytest.fixture(autouse=True)
def renumbered() -> None:
    """A message to each number, and Meta's answers."""
    for peer in (FIRST, SECOND, THIRD, STRANGER):
        in_state(Status.DELIVERED, peer=peer)
    for phone, peer in ((FIRST, SECOND), (SECOND, THIRD), (STRANGER, STRANGER)):
        WhatsAppId.objects.create(phone=phone, wa_id=peer, peer=peer)


every_number = pytest.mark.parametrize("number", [FIRST, SECOND, THIRD])


@every_number
def test_each_number_finds_all_messages(number: str) -> None:
    assert set(person_of(number).messages.values_list("peer", flat=True)) == {FIRST, SECOND, THIRD}


@every_number
def test_the_export_holds_the_whatsapp_ids_that_the_erasure_deletes(number: str, tmp_path: Path) -> None:
    person = person_of(number)
    export(person, tmp_path / "person.zip")
    exported = {row["phone"] for row in json.loads(zipfile.ZipFile(tmp_path / "person.zip").read("whatsapp_ids.json"))}
    before = set(WhatsAppId.objects.values_list("phone", flat=True))
    erase(person, "ann")
    gone = before - set(WhatsAppId.objects.values_list("phone", flat=True))
    assert (exported, gone) == ({FIRST, SECOND}, {FIRST, SECOND})
