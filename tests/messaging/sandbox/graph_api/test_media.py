"""The sandbox's files, as Meta has them."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from messaging.sandbox.media.samples import sample
from tests.waiting import PATIENCE_S

from ..process import NUMBER, OTHER_NUMBER, TOKEN, Sandbox, text_message
from ..receiver import Receiver


def raw(sandbox: Sandbox, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}", **headers})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def form(file: bytes, **fields: str) -> tuple[bytes, str]:
    """A multipart form with a file, and its type."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n'
    return b"".join([*parts, head, file, b"\r\n--b--\r\n"]), "multipart/form-data; boundary=b"


def node(receiver: Receiver, kind: str) -> dict[str, Any]:
    """The one message of this kind that came; a webhook of the test before may come late."""
    (hook,) = receiver.wait_for(1, lambda hook: kind in hook.value.get("messages", [{}])[0])
    found: dict[str, Any] = hook.value["messages"][0][kind]
    return found


def path_of(url: str) -> str:
    return urlsplit(url)._replace(scheme="", netloc="").geturl()


@pytest.mark.parametrize("kind", ["image", "audio", "document", "sticker"])
def test_a_user_sends_a_ready_made_file(kind: str, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "type": kind})
    found = sandbox.request("GET", f"/v25.0/{node(receiver, kind)['id']}")[1]
    made = sample(kind)
    assert made and raw(sandbox, "GET", path_of(found["url"])) == (200, made.content)
    assert (found["mime_type"], found["file_size"]) == (made.mime_type, len(made.content))


def test_a_user_sends_a_file_by_a_form(sandbox: Sandbox, receiver: Receiver) -> None:
    body, content_type = form(b"a photo", **{"from": "15551230001", "caption": "Look"})
    status, _ = raw(sandbox, "POST", "/_sandbox/inbound", body, **{"Content-Type": content_type})
    found = node(receiver, "image")
    assert (status, found["caption"], found["mime_type"]) == (200, "Look", "image/jpeg")


def test_without_the_token_there_is_no_file(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "type": "image"})
    path = f"/v25.0/{node(receiver, 'image')['id']}"
    there = path_of(sandbox.request("GET", path)[1]["url"])
    assert [raw(sandbox, "GET", one, Authorization="Bearer wrong")[0] for one in (path, there)] == [401, 401]


def test_a_url_that_was_changed_opens_nothing(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "type": "image"})
    there = path_of(sandbox.request("GET", f"/v25.0/{node(receiver, 'image')['id']}")[1]["url"])
    assert raw(sandbox, "GET", there.replace("ext=", "ext=9"))[0] == 404


def test_an_uploaded_file_has_an_id_and_can_be_deleted(sandbox: Sandbox) -> None:
    body, content_type = form(b"a photo", messaging_product="whatsapp", type="image/jpeg")
    _, answer = raw(sandbox, "POST", f"/v25.0/{NUMBER}/media", body, **{"Content-Type": content_type})
    path = f"/v25.0/{json.loads(answer)['id']}"
    known, deleted, gone = (raw(sandbox, method, path)[0] for method in ("GET", "DELETE", "GET"))
    assert (known, deleted, gone) == (200, 200, 400)


def upload(sandbox: Sandbox, number: str) -> str:
    body, content_type = form(b"a photo", messaging_product="whatsapp", type="image/jpeg")
    _, answer = raw(sandbox, "POST", f"/v25.0/{number}/media", body, **{"Content-Type": content_type})
    media_id: str = json.loads(answer)["id"]
    return media_id


def test_only_the_number_that_a_file_was_uploaded_for_sends_it(sandbox: Sandbox) -> None:
    message = {**text_message(), "type": "image", "image": {"id": upload(sandbox, OTHER_NUMBER)}}
    status, answer = sandbox.request("POST", f"/v25.0/{NUMBER}/messages", message)
    assert (status, answer["error"]["code"]) == (400, 131009)
    assert sandbox.request("POST", f"/v25.0/{OTHER_NUMBER}/messages", message)[0] == 200


def test_a_file_may_be_asked_for_as_that_of_its_number(sandbox: Sandbox) -> None:
    path = f"/v25.0/{upload(sandbox, NUMBER)}?phone_number_id="
    assert [raw(sandbox, "GET", path + number)[0] for number in ("", NUMBER, OTHER_NUMBER)] == [200, 200, 400]


@pytest.mark.parametrize("fields", [{}, {"messaging_product": "sms"}])
def test_an_upload_without_the_product_is_refused(fields: dict[str, str], sandbox: Sandbox) -> None:
    body, content_type = form(b"a photo", **fields)
    assert raw(sandbox, "POST", f"/v25.0/{NUMBER}/media", body, **{"Content-Type": content_type})[0] == 400


def test_too_large_an_upload_is_refused(sandbox: Sandbox) -> None:
    body, content_type = form(bytes(5 * 1024 * 1024 + 1), messaging_product="whatsapp", type="image/jpeg")
    status, answer = raw(sandbox, "POST", f"/v25.0/{NUMBER}/media", body, **{"Content-Type": content_type})
    assert (status, json.loads(answer)["error"]["code"]) == (400, 131053)


def test_an_unknown_file_is_no_object_of_metas(sandbox: Sandbox) -> None:
    status, answer = sandbox.request("GET", "/v25.0/1234567")
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)


def test_a_reset_forgets_files(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "type": "image"})
    media_id = node(receiver, "image")["id"]
    sandbox.post("/_sandbox/reset")
    assert sandbox.request("GET", f"/v25.0/{media_id}")[0] == 400
