"""Acceptance by the API during a release of the same number."""

import threading

import pytest
from django.db import connection, transaction

from messaging.accepting.accept import NewMessage, accept
from messaging.outgoing.release import release
from tests.messaging.factories import pending
from tests.waiting import PATIENCE_S


@pytest.mark.django_db(transaction=True)
def test_a_message_being_stored_does_not_block_the_numbers_release() -> None:
    (due,) = pending(1, peer="15550001111")
    stored, released = threading.Event(), threading.Event()

    def store() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                accept([NewMessage("15550002222", "text", {"content": "hello"}, due.number)])
                # As the commit does: check foreign keys, which locks the referenced rows until the flush.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                stored.set()
                released.wait(PATIENCE_S)
        finally:
            connection.close()

    thread = threading.Thread(target=store)
    thread.start()
    try:
        assert stored.wait(PATIENCE_S)
        batches = release(due.number_id)
    finally:
        released.set()
        thread.join()
    assert [batch.message_ids for batch in batches] == [[due.id]]
