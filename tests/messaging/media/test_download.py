"""From a user's message to a file of ours, with everything on Meta's side that can go wrong."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.media.download import Downloader
from messaging.media.download import media_api as media_api_of
from messaging.media.records import claim_media, download_again, fail_abandoned_downloads, record_media
from messaging.media_states import State
from messaging.models import Account, AuditEntry, BusinessNumber, Delivery, Media, Message
from messaging.subscriptions.outbox import outbox
from messaging.whatsapp.media_api import MediaApi, MediaError, TransferFailure
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.media.conftest import Sends, content_of, data, media_of, remove_queued_files
from tests.messaging.plans import repeat_subqueries
from tests.messaging.sandbox.process import TOKEN, Sandbox
from tests.messaging.subscriptions.factories import subscription

Fetch = Callable[[], list[Any]]


def due_now(message: Message) -> None:
    Media.objects.filter(pk=message.pk).update(due_at=timezone.now())


def test_a_users_file_is_stored_unchanged(sends: Sends, fetch: Fetch) -> None:
    photo = bytes(range(256)) * 9000
    message = sends(media={"data": data(photo), "mime_type": "image/jpeg"}, caption="Look")
    fetch()
    media = media_of(message)
    assert (content_of(message) == photo, media.state, media.size, media.mime_type) == (
        True,
        State.STORED,
        len(photo),
        "image/jpeg",
    )


@pytest.mark.parametrize("kind", ["image", "audio", "voice", "document", "sticker"])
def test_every_kind_of_file_is_downloaded(kind: str, sends: Sends, fetch: Fetch) -> None:
    message = sends(type=kind)
    fetch()
    assert (media_of(message).kind, media_of(message).state) == (kind, State.STORED)


def test_the_message_is_stored_before_its_file(sends: Sends) -> None:
    message = sends(caption="Look")
    assert (message.text, media_of(message).state) == ("Look", State.WAITING)


def test_a_text_has_no_file(db: None) -> None:
    receive(webhook(inbound_text()))
    assert not Media.objects.exists()


def test_a_repeated_webhook_makes_one_media_record(db: None, webhooks: Callable[..., Any]) -> None:
    body = webhooks()
    receive(body)
    receive(body)
    assert Media.objects.count() == 1


@pytest.mark.parametrize(
    ("fault", "state", "attempts"),
    [
        ({"fault": "gone"}, State.GONE, 1),
        ({"fault": "too_large"}, State.TOO_LARGE, 1),
        ({"fault": "wrong_sha"}, State.WAITING, 1),
        ({"fault": "unavailable"}, State.WAITING, 1),
        ({"fault": "throttled"}, State.WAITING, 0),
        ({"fault": "cut"}, State.WAITING, 1),
        ({"fault": "expired"}, State.STORED, 1),
        ({"fault": "expired", "times": 2}, State.WAITING, 1),
        ({"fault": "elsewhere"}, State.WAITING, 1),
        ({"fault": "redirect"}, State.WAITING, 1),
        ({"fault": "slow", "seconds": 0.2}, State.STORED, 1),
    ],
    ids=lambda value: value["fault"] + str(value.get("times", "")) if isinstance(value, dict) else "",
)
def test_each_failure_of_meta_has_its_state(
    fault: dict[str, Any], state: State, attempts: int, sends: Sends, fetch: Fetch
) -> None:
    message = sends(media=fault)
    fetch()
    media = media_of(message)
    assert (media.state, media.attempts, bool(media.error)) == (state, attempts, state is not State.STORED)


def test_an_endless_file_is_too_large(sends: Sends, fetch: Fetch, settings: Any) -> None:
    settings.WA_MEDIA_LIMITS = {"image": 20_000}
    message = sends(media={"fault": "endless"})
    fetch()
    assert media_of(message).state == State.TOO_LARGE


@pytest.mark.parametrize("fault", ["unavailable", "cut", "expired"])
def test_a_temporary_failure_is_retried(fault: str, sends: Sends, fetch: Fetch) -> None:
    message = sends(media={"fault": fault, "times": 2})
    for _ in range(3):
        due_now(message)
        fetch()
    assert media_of(message).state == State.STORED


def test_a_file_with_the_wrong_sha_is_never_stored(sends: Sends, fetch: Fetch, files: Path) -> None:
    message = sends(media={"fault": "wrong_sha"})
    for _ in range(3):
        due_now(message)
        fetch()
    media = media_of(message)
    assert (media.state, media.name, list(files.rglob("*"))) == (State.DAMAGED, "", [])
    assert "SHA-256" in media.error


def test_one_broken_transfer_after_an_outage_is_not_the_end_of_a_file_but_two_alike_are(
    sends: Sends, fetch: Fetch
) -> None:
    message = sends(media={"fault": "wrong_sha"})
    Media.objects.filter(pk=message.pk).update(attempts=5, error="Meta answered 503.")
    states = []
    for _ in range(2):
        due_now(message)
        fetch()
        states.append(media_of(message).state)
    assert states == [State.WAITING, State.DAMAGED]


def test_a_file_over_the_limit_is_not_transferred(sends: Sends, fetch: Fetch, settings: Any) -> None:
    settings.WA_MEDIA_LIMITS = {"document": 100}
    message = sends(type="document")
    fetch()
    assert (media_of(message).state, "100 are taken" in media_of(message).error) == (State.TOO_LARGE, True)


def test_a_transfer_ends_at_the_limit_for_any_announced_size(
    meta: Sandbox, webhooks: Callable[..., Any], media_api: MediaApi
) -> None:
    body = webhooks(media={"fault": "endless"})
    found = media_api.look_up(body["entry"][0]["changes"][0]["value"]["messages"][0]["image"]["id"])
    into = io.BytesIO()
    with pytest.raises(MediaError) as caught:
        media_api.fetch(found.url, into, 300_000)
    assert (caught.value.failure, into.tell() <= 300_000) == (TransferFailure.TOO_LARGE, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.com/photo",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://user@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "http://[::1/",
        "",
    ],
)
def test_the_token_goes_to_no_other_host(url: str, media_api: MediaApi) -> None:
    with pytest.raises(MediaError) as caught:
        media_api.fetch(url, io.BytesIO(), 1000)
    assert caught.value.failure is TransferFailure.MISCONFIGURED


def test_the_token_is_never_sent_without_tls() -> None:
    api = MediaApi("https://graph.facebook.com", "v25.0", TOKEN, ["lookaside.fbsbx.com"])
    with pytest.raises(MediaError) as caught:
        api.fetch("http://lookaside.fbsbx.com/photo", io.BytesIO(), 1000)
    assert "TLS" in caught.value.text


def test_a_file_is_downloaded_with_the_token_of_its_numbers_account(sends: Sends, meta: Sandbox, settings: Any) -> None:
    message = sends()
    BusinessNumber.objects.filter(pk=message.number_id).update(waba_id="77")
    Account.objects.create(waba_id="77", token_name="WA_ACCESS_TOKEN_SHOP")
    settings.WA_GRAPH_URL, settings.WA_ACCESS_TOKEN = f"http://127.0.0.1:{meta.port}", "of another account"
    settings.WA_ACCESS_TOKENS = {"WA_ACCESS_TOKEN_SHOP": TOKEN}
    downloader = Downloader(media_api_of)
    record_media([downloader.download(download) for download in claim_media(5)])
    assert media_of(message).state == State.STORED


def test_a_wrong_token_is_retried_rarely(sends: Sends, meta: Sandbox) -> None:
    message = sends()
    downloader = Downloader(lambda _: MediaApi(f"http://127.0.0.1:{meta.port}", "v25.0", "wrong"))
    record_media([downloader.download(download) for download in claim_media(5)])
    media = media_of(message)
    assert (media.state, "190" in media.error, media.due_at > timezone.now() + timedelta(minutes=10)) == (
        State.WAITING,
        True,
        True,
    )


def test_while_meta_throttles_no_request_is_made(sends: Sends, fetch: Fetch) -> None:
    first, second = sends(media={"fault": "throttled"}), sends()
    fetch()
    assert [media_of(one).state for one in (first, second)] == [State.WAITING, State.WAITING]


def test_while_meta_throttles_one_token_files_of_the_others_are_fetched(sends: Sends, media_api: MediaApi) -> None:
    throttled, same, other = sends(media={"fault": "throttled"}), sends(), sends()
    downloader = Downloader(lambda _: media_api)
    claimed = {one.message_id: one for one in claim_media(3)}
    tried = [downloader.download(claimed[one.pk]) for one in (throttled, same)]
    tried.append(downloader.download(replace(claimed[other.pk], token_name="WA_TOKEN_B")))
    assert [one.failure and one.failure.cause for one in tried] == [
        *(TransferFailure.THROTTLED, TransferFailure.THROTTLED, None),
    ]


@pytest.mark.parametrize("nested_loop", ["on", "off"])
def test_files_are_fetched_in_the_order_in_which_they_are_due(nested_loop: str, sends: Sends) -> None:
    messages = [sends() for _ in range(3)]
    Media.objects.filter(pk=messages[0].pk).update(error="")  # its row now lies behind those of the others
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_nestloop = {nested_loop}")
    assert [one.message_id for one in claim_media(50)] == [message.pk for message in messages]


def test_meta_unavailable_is_retried(sends: Sends) -> None:
    message = sends()
    downloader = Downloader(lambda _: MediaApi("http://127.0.0.1:9", "v25.0", TOKEN))
    record_media([downloader.download(download) for download in claim_media(5)])
    assert (media_of(message).state, media_of(message).error) == (
        State.WAITING,
        "No connection: there is no way to it.",
    )


def test_a_storage_error_is_retried(sends: Sends, fetch: Fetch, files: Path) -> None:
    message = sends()
    files.write_text("no directory")
    fetch()
    failed = media_of(message)
    files.unlink()
    due_now(message)
    fetch()
    assert ("storage failed" in failed.error, media_of(message).state) == (True, State.STORED)


def test_a_download_fails_after_six_days(sends: Sends, fetch: Fetch) -> None:
    message = sends(media={"fault": "unavailable", "times": 9})
    Media.objects.update(give_up_at=timezone.now() - timedelta(seconds=1))
    fetch()
    assert media_of(message).state == State.FAILED


def test_a_file_whose_attempts_are_never_recorded_fails(sends: Sends) -> None:
    message = sends()
    long_ago = timezone.now() - timedelta(hours=2)
    Media.objects.update(give_up_at=long_ago, lease_until=long_ago, due_at=long_ago)
    subscription(events=["message.media"])
    fail_abandoned_downloads()
    assert (media_of(message).state, Delivery.objects.values_list("message_id", flat=True).get()) == (
        State.FAILED,
        message.pk,
    )


def test_a_file_that_ends_each_process_that_downloads_it_is_not_claimed_for_ever(sends: Sends) -> None:
    sends()
    now = timezone.now()
    Media.objects.update(give_up_at=now - timedelta(hours=2), lease_until=now - timedelta(seconds=1), due_at=now)
    assert claim_media(5) == []


def test_a_file_that_no_process_has_tried_in_time_is_tried(sends: Sends) -> None:
    sends()
    Media.objects.update(give_up_at=timezone.now() - timedelta(hours=2))
    assert len(claim_media(5)) == 1


def test_a_claimed_file_is_not_claimed_again(sends: Sends) -> None:
    sends()
    assert (len(claim_media(5)), len(claim_media(5))) == (1, 0)


def test_no_more_files_are_claimed_than_asked_for(sends: Sends) -> None:
    for _ in range(5):
        sends()
    repeat_subqueries()
    assert len(claim_media(2)) == 2


def test_an_outcome_after_its_lease_changes_nothing(sends: Sends, media_api: MediaApi) -> None:
    message = sends(media={"fault": "gone"})
    late = Downloader(lambda _: media_api).download(claim_media(1)[0])
    due_now(message)
    claim_media(1)
    record_media([late])
    assert media_of(message).state == State.WAITING


def test_files_of_new_messages_are_claimed_before_the_history(db: None, webhooks: Callable[..., Any]) -> None:
    for _ in range(2):
        receive(webhooks())
    oldest = Media.objects.order_by("due_at")[0]
    Media.objects.filter(pk=oldest.pk).update(rank=1)
    assert claim_media(1)[0].message_id != oldest.pk


def test_the_file_of_an_echo_is_downloaded_too(db: None) -> None:
    body = webhook(inbound_text())
    change = body["entry"][0]["changes"][0]
    echo = {"from": "15550783881", "to": "15551230001", "id": "wamid.E", "timestamp": "1790000000", "type": "image"}
    change["field"] = "smb_message_echoes"
    change["value"] = {"metadata": change["value"]["metadata"], "message_echoes": [{**echo, "image": {"id": "77"}}]}
    receive(body)
    assert (Media.objects.get().media_id, Media.objects.get().message.direction) == ("77", "outbound")


def test_deleting_a_message_deletes_its_file(sends: Sends, fetch: Fetch, files: Path) -> None:
    message = sends()
    fetch()
    Message.objects.filter(pk=message.pk).delete()
    remove_queued_files()
    assert [path for path in files.rglob("*") if path.is_file()] == []


def test_an_operator_can_download_a_file_again_and_the_audit_log_records_it(
    sends: Sends, fetch: Fetch, meta: Sandbox
) -> None:
    message = sends(media={"fault": "unavailable", "times": 1})
    Media.objects.update(give_up_at=timezone.now())
    fetch()
    failed = media_of(message).state
    chosen = download_again([message.pk], "operator")
    fetch()
    assert (failed, chosen, media_of(message).state, AuditEntry.objects.get().action) == (
        State.FAILED,
        [message.pk],
        State.STORED,
        "fetch media again",
    )


def test_a_stored_file_is_not_downloaded_again(sends: Sends, fetch: Fetch) -> None:
    message = sends()
    fetch()
    assert download_again([message.pk], "operator") == []


@pytest.mark.parametrize(("fault", "state"), [({}, "stored"), ({"fault": "gone"}, "gone")])
def test_subscribers_get_an_event_when_a_file_is_stored_or_has_failed(
    fault: dict[str, Any], state: str, sends: Sends, fetch: Fetch
) -> None:
    from messaging.subscriptions.payloads import build_payloads

    message = sends(media=fault)
    one = subscription(events=["message.media"])
    outbox.cache([(one.pk, one.events)])
    fetch()
    delivery = Delivery.objects.get()
    body = build_payloads([delivery])[delivery.pk].decode()
    assert (delivery.message_id, f'"state":"{state}"' in body) == (message.pk, True)


def test_files_of_blocked_contacts_make_no_event(sends: Sends, fetch: Fetch) -> None:
    message = sends()
    assert message.contact
    message.contact.blocked_at = timezone.now()
    message.contact.save()
    one = subscription(events=["message.media"])
    outbox.cache([(one.pk, one.events)])
    fetch()
    assert (media_of(message).state, Delivery.objects.count()) == (State.STORED, 0)


def test_a_rolled_back_message_makes_no_media_record(db: None, webhooks: Callable[..., Any]) -> None:
    body = webhooks()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        receive(body)
        raise ZeroDivisionError
    assert not Media.objects.exists()
