"""The embedded servers: where they listen, and what they keep."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pytest

from deploy.local.postgres import Postgres
from deploy.local.sqs import Sqs
from testkit.ports import free_port

pytestmark = [pytest.mark.slow("starts and kills servers"), pytest.mark.enable_socket]


@pytest.fixture
def postgres(tmp_path: Path, port: int) -> Iterator[Postgres]:
    # As in a checkout that only its owner may enter; for root, PostgreSQL's own user has to get through.
    tmp_path.chmod(0o700)
    server = Postgres(tmp_path / "postgres", port, "secret", "shop")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sqs(tmp_path: Path, port: int) -> Iterator[Sqs]:
    server = Sqs(tmp_path / "sqs", port)
    server.start()
    yield server
    server.stop()


def query(server: Postgres, statement: str) -> Any:
    connection = psycopg2.connect(server.url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def client(server: Sqs) -> Any:
    credentials = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client("sqs", region_name="us-east-1", endpoint_url=server.endpoint_url, **credentials)


def test_rows_survive_a_kill_of_postgres(postgres: Postgres) -> None:
    query(postgres, "CREATE TABLE t AS SELECT 42 AS n")
    postgres.kill()
    postgres.start()
    assert query(postgres, "SELECT n FROM t") == [(42,)]


def test_a_lock_file_with_another_programs_process_id_is_ignored(postgres: Postgres) -> None:
    postgres.stop()
    lock = postgres.data_dir / "18" / "postmaster.pid"
    lock.write_text(f"{os.getppid()}\n{lock.parent}\n")
    postgres.start()
    assert query(postgres, "SELECT 1") == [(1,)]


def test_a_new_password_replaces_the_old_one(postgres: Postgres) -> None:
    postgres.stop()
    changed = Postgres(postgres.data_dir, postgres.port, "other", "shop")
    changed.start()
    try:
        assert query(changed, "SELECT current_database()") == [("shop",)]
        assert not postgres.is_ready()
    finally:
        changed.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
def test_root_starts_postgres_as_another_user_and_changes_no_directory(postgres: Postgres, tmp_path: Path) -> None:
    assert postgres.data_dir.stat().st_uid != 0
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_messages_survive_a_stop_and_a_move_to_another_port(sqs: Sqs) -> None:
    url = client(sqs).create_queue(QueueName="q")["QueueUrl"]
    client(sqs).send_message(QueueUrl=url, MessageBody="hello")
    sqs.stop()
    moved = Sqs(sqs.state_dir, free_port())
    moved.start()
    try:
        (there,) = client(moved).list_queues()["QueueUrls"]
        assert there == f"{moved.endpoint_url}/000000000000/q"
        assert client(moved).receive_message(QueueUrl=there)["Messages"][0]["Body"] == "hello"
    finally:
        moved.stop()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of sockets")
def test_the_sqs_server_listens_on_loopback_only(sqs: Sqs) -> None:
    inodes = {str(fd.readlink()) for fd in Path(f"/proc/{sqs.pid}/fd").iterdir()}
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    listening = [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]
    assert listening == [f"0100007F:{sqs.port:04X}"]


def test_a_server_that_cannot_start_says_why(tmp_path: Path, taken_port: int) -> None:
    server = Sqs(tmp_path / "sqs", taken_port)
    with pytest.raises(Exception, match="SQS server"):
        server.start(timeout=5)
    assert subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, check=False).stdout == b""


def test_a_long_poll_of_a_client_that_has_gone_takes_no_message(sqs: Sqs) -> None:
    url = client(sqs).create_queue(QueueName="abandoned")["QueueUrl"]
    poll = f'{{"QueueUrl": "{url}", "WaitTimeSeconds": 20}}'
    with closing(HTTPConnection("127.0.0.1", sqs.port)) as gone:
        headers = {"X-Amz-Target": "AmazonSQS.ReceiveMessage", "Content-Type": "application/x-amz-json-1.0"}
        gone.request("POST", "/", poll, headers)
        # The server has the poll once it answers a request that came later.
        client(sqs).send_message(QueueUrl=client(sqs).create_queue(QueueName="other")["QueueUrl"], MessageBody="later")
    client(sqs).send_message(QueueUrl=url, MessageBody="a message")
    received = client(sqs).receive_message(QueueUrl=url, WaitTimeSeconds=2)
    assert [message["Body"] for message in received.get("Messages", [])] == ["a message"]
