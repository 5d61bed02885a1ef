"""docs/analytics.md and docs/costs.md typed from top to bottom, on a pipeline that really runs."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from deploy.local.announce import write_env_file
from deploy.local.postgres import Postgres
from testkit.pipeline import Pipeline
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow("runs the commands of the documentation in a pipeline")

PROCESSES = {"web": 1, "dispatcher": 1, "outgoing": 1, "incoming": 1, "analytics": 1, "beat": 1}
SETTINGS = {"WEB_WORKERS": "1", "SQS_WAIT_TIME_S": "1"}
# A block of commands, a command, a request, or an address of the page.
TYPED = re.compile(
    r"^```sh\n(?P<block>.*?)^```"
    r"|`(?P<command>manage\.py [^`\n]+)`|`(?P<request>(?:GET|POST) /[^`\n]+)`"
    r"|`(?P<page>(?:/analytics/)?\?[a-z]+=[^`\n]+)`|`(?P<python>track_event\([^`\n]+\))`",
    re.MULTILINE | re.DOTALL,
)
EVENT = {
    "event_type": "order_paid", "event_data": {"total": 12}, "event_id": "order-4711", "contact": "+1 555 123 4567",
    "reference": "order 4711", "occurred_at": "2026-11-01T12:00:00Z",
}  # fmt: skip
TEXT = {"message_type": "text", "message_data": {"content": "Hello"}}
BODIES: dict[str, Any] = {
    "/analytics/events": [EVENT],
    "/messaging/analytics": EVENT,
    "/messaging/send?estimate=true": {"phone_number": "+4915112345678", **TEXT},
    "/messaging/send/bulk?estimate=true": {"messages": [{"phone_number": "+4915112345678", **TEXT}]},
}


def page(name: str) -> str:
    return (CHECKOUT / "docs" / name).read_text()


def typed_in(text: str) -> list[tuple[str, str]]:
    """(kind, text) of whatever can be typed, in the order of the page."""
    found = [(str(match.lastgroup), match[str(match.lastgroup)]) for match in TYPED.finditer(text)]
    return [(kind, one) for kind, whole in found for one in (expanded(whole) if kind == "request" else [whole])]


def expanded(request: str) -> list[str]:
    """`GET /analytics/{summary,funnel}` as two requests."""
    names = re.search(r"\{([a-z]+(?:,[a-z]+)+)\}", request)
    return [request.replace(names[0], name) for name in names[1].split(",")] if names else [request]


class Typist:
    """A person at a checkout in which `make run` runs the pipeline."""

    def __init__(self, pipeline: Pipeline, directory: Path) -> None:
        self.pipeline, self.directory = pipeline, directory
        for name in ("manage.py", "docs"):
            (directory / name).symlink_to(CHECKOUT / name)
        (directory / ".venv").symlink_to(sys.prefix)
        (directory / "var").mkdir()
        write_env_file(directory / "var", pipeline.env)
        self.key = {"Authorization": f"Bearer {pipeline.env['API_KEY']}"}
        self._session = self._logged_in()

    def shell(self, commands: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], env=self._env(), cwd=self.directory, input="",
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip

    def start(self, command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*self._python(), *command.split()[1:]], env=self._env(), cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def command(self, text: str) -> "subprocess.CompletedProcess[str]":
        """`manage.py …`"""
        return self.shell(f".venv/bin/python {text}")

    def request(self, text: str) -> requests.Response:
        """`GET /path` or `POST /path`, with a body of BODIES."""
        method, path = text.split()
        if "{id}" in path:
            path = path.replace("{id}", self.get("/messaging/messages")["results"][0]["id"])
        body = BODIES[path] if method == "POST" else None
        return requests.request(method, self._url(path), json=body, headers=self.key, timeout=30)

    def get(self, path: str, **query: Any) -> Any:
        answer = requests.get(self._url(path), query, headers=self.key, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self, address: str) -> requests.Response:
        return self._session.get(self._url(address if address.startswith("/") else f"/analytics/{address}"), timeout=30)

    def send(self, count: int, **fields: Any) -> None:
        """Messages that the sandbox delivers, and whose phones read them."""
        messages = [{"phone_number": f"+4915112345{n:03d}", **TEXT, **fields} for n in range(count)]
        answer = requests.post(
            self._url("/messaging/send/bulk"), json={"messages": messages}, headers=self.key, timeout=30
        )
        assert answer.status_code == 202, answer.text

    def _url(self, path: str) -> str:
        return self.pipeline.env["BASE_URL"] + path

    def _python(self) -> list[str]:
        return [sys.executable, "manage.py"]

    def _env(self) -> dict[str, str]:
        return {**self.pipeline.env, "PATH": os.environ["PATH"], "no_proxy": "*"}

    def _logged_in(self) -> requests.Session:
        session, url = requests.Session(), self._url("/admin/login/?next=/admin/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get(url, timeout=30).text)
        assert token
        names = {"username": "ADMIN_USER", "password": "ADMIN_PASSWORD"}
        form = {field: self.pipeline.env[name] for field, name in names.items()}
        session.post(url, {**form, "csrfmiddlewaretoken": token[1]}, timeout=30)
        return session


@pytest.fixture(scope="module")
def typist(migrate: Callable[[Postgres], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typist]:
    made = Pipeline(PROCESSES, SETTINGS)
    migrate(made.postgres)
    with made:
        someone = Typist(made, tmp_path_factory.mktemp("checkout"))
        # Before anything is asked there are messages that cost.
        someone.send(5, campaign="spring")
        yield someone


def type_all(typist: Typist, name: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Everything of a page but `without`, in its order, and what came of it. Commands end with 0, requests with 2xx."""
    came: dict[str, Any] = {}
    for kind, text in typed_in(page(name)):
        if any(word in text for word in without):
            continue
        if kind in {"block", "command"}:
            done = typist.shell(text) if kind == "block" else typist.command(text)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            came[text] = done.stdout
        elif kind == "python":
            script = f"from analytics.services import track_event; {text}"
            done = typist.shell(f".venv/bin/python manage.py shell -c '{script}'")
            assert done.returncode == 0, f"{text}\n{done.stderr}"
            came[text] = done.stdout
        else:
            answer = typist.page(text) if kind == "page" else typist.request(text)
            assert answer.status_code == (202 if text in ACCEPTED else 200), f"{text}\n{answer.text[:2000]}"
            came[text] = answer
    return came


ACCEPTED = {"POST /analytics/events", "POST /messaging/analytics"}


@pytest.fixture(scope="module")
def analytics(typist: Typist) -> dict[str, Any]:
    return type_all(typist, "analytics.md", without=("demo_data",))


def test_every_command_and_request_of_the_page_on_analytics_works(analytics: dict[str, Any]) -> None:
    assert [text.split("?")[0].split(" --")[0] for text in analytics if not text.startswith("set -a")] == [
        "POST /analytics/events", "POST /messaging/analytics",
        'track_event("order_paid", {"total": 12}, event_id="order-4711", contact="+1 555 123 4567")',
        "GET /analytics/events", "GET /messaging/messages/{id}", "manage.py rebuild_rollups",
        *(f"GET /analytics/{name}" for name in (
            "summary", "timeseries", "funnel", "errors", "templates", "campaigns", "conversations"
        )),
        "GET /analytics/export",
    ]  # fmt: skip


def test_an_event_has_the_fields_of_the_table_and_is_stored_once_for_a_client(
    typist: Typist, analytics: dict[str, Any]
) -> None:
    fields = re.findall(r"^\| `(\w+)` \|", page("analytics.md").split("## How messages")[0], re.MULTILINE)
    assert set(fields) == set(EVENT)
    # The key's own, typed twice, and the one from Python, which has no client.
    assert eventually(lambda: len(typist.get("/analytics/events", event_id="order-4711")["results"]) == 2)
    names = re.search(r"Filters: (.*?); `page_size`", page("analytics.md"), re.DOTALL)
    assert names
    values = {"source": "api", "occurred_after": "2026-01-01T00:00:00Z", "occurred_before": "2027-01-01T00:00:00Z"}
    for name in re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", names[1])):
        typist.get("/analytics/events", **{name: values.get(name) or EVENT.get(name) or "nobody"})


def test_questions_take_the_parameters_of_the_table(typist: Typist, analytics: dict[str, Any]) -> None:
    table = page("analytics.md").split("## Questions")[1].split("## Export")[0]
    granularities, names = (
        re.findall(r"`([\w]+)`", line.split("|")[2]) for line in table.splitlines() if re.match(r"\| `gr", line)
    )
    assert granularities.pop(0) == "timeseries"
    for granularity in granularities:
        typist.get("/analytics/timeseries", granularity=granularity, timezone="Asia/Kolkata", since="2026-11-20")
    for name in names:
        typist.get("/analytics/summary", group_by=name, limit=1000)
    typist.get("/analytics/summary", **dict(re.findall(r"(\w+)=([\w-]+)", "campaign=spring-sale&country=49")))


def test_the_messages_are_counted_within_a_minute_or_so(typist: Typist, analytics: dict[str, Any]) -> None:
    def sent() -> int:
        rows = typist.get("/analytics/campaigns")["rows"]
        return sum(row["delivered"] for row in rows if row["campaign"] == "spring")

    assert eventually(lambda: sent() == 5)


def test_the_export_of_a_day_is_a_parquet_file(typist: Typist, analytics: dict[str, Any]) -> None:
    found = (typist.directory / "messages.parquet").read_bytes()
    assert (found[:4], found[-4:]) == (b"PAR1", b"PAR1")


def test_demonstration_data_is_stopped_goes_on_and_is_removed_as_the_page_says(typist: Typist) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", page("analytics.md").split("## Demonstration data")[1], re.DOTALL)
    fill, remove = (line.split("#")[0].strip().removeprefix(".venv/bin/python ") for line in block.splitlines())
    assert (fill, remove) == ("manage.py demo_data", "manage.py demo_data --remove")
    before = shown(typist)
    for days in (2, 5):
        run = typist.start(fill)
        assert run.stdout
        for line in run.stdout:
            if (found := re.search(r"(\d+) of 91", line)) and int(found[1]) >= days:
                break
        run.send_signal(signal.SIGINT)
        rest = run.communicate(timeout=PATIENCE_S)[0]
        assert (run.returncode, "goes on" in rest, "Traceback" in rest) == (130, True, False)
    campaigns = typist.page("/analytics/?since=2026-01-01&campaign=collection-launch")
    assert campaigns.status_code == 200
    done = typist.command(remove)
    assert (done.returncode, "is removed" in done.stdout) == (0, True), done.stderr
    assert shown(typist) == before
    assert typist.pipeline.number("SELECT count(*) FROM messaging_message WHERE campaign <> 'spring'") == 0


def shown(typist: Typist) -> Any:
    return typist.get("/analytics/summary", since="2026-01-01", group_by="sender")["rows"]


@pytest.fixture(scope="module")
def costs(typist: Typist) -> dict[str, Any]:
    """Differences are the exit status 1 of `reconcile_costs`; it is typed apart."""
    return type_all(typist, "costs.md", without=("reconcile_costs",))


def test_every_command_and_request_of_the_page_on_costs_works(costs: dict[str, Any]) -> None:
    first, *others = costs
    assert "import_rate_card docs/examples/example-rate-card.csv" in first
    assert [text for text in others if not text.startswith("set -a")] == [
        "GET /analytics/costs", "?currency=EUR", "?market=India",
        "/analytics/?campaign=spring", "GET /analytics/budgets", "POST /messaging/send?estimate=true",
    ]  # fmt: skip


def test_the_costs_that_curl_asks_for_add_up(costs: dict[str, Any]) -> None:
    (answer,) = [json.loads(out) for text, out in costs.items() if text.startswith("set -a")]
    total = answer["total"]
    assert total["messages"] == total["charged"] + total["free"] + total["unpriced"]


def test_costs_take_the_parameters_of_the_table(typist: Typist, costs: dict[str, Any]) -> None:
    table = page("costs.md").split("## `GET /analytics/costs`")[1].split("## On the page")[0]
    granularities, names = (
        re.findall(r"`([\w]+)`", line.split("|")[2]) for line in table.splitlines() if re.match(r"\| `gr", line)
    )
    for granularity in granularities:
        typist.get("/analytics/costs", granularity=granularity, since="2026-11-20")
    for name in names:
        row = {"since": "2026-11-20", "group_by": name, "limit": 1000}
        answer = requests.get(
            typist.pipeline.env["BASE_URL"] + f"/analytics/costs?{urlencode({**row, 'format': 'csv'})}",
            headers=typist.key, timeout=30,
        )  # fmt: skip
        assert answer.status_code == 200 and name in next(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_an_estimate_sends_nothing_and_says_what_the_page_says(typist: Typist, costs: dict[str, Any]) -> None:
    one = costs["POST /messaging/send?estimate=true"].json()["estimate"]
    assert {"total", "currency", "cards", "charged", "free", "unpriced", "messages"} <= set(one)
    assert typist.request("POST /messaging/send/bulk?estimate=true").json()["estimate"]["messages"]
    assert typist.pipeline.number("SELECT count(*) FROM messaging_message") == 5


def test_costs_stand_beside_metas_own(typist: Typist, costs: dict[str, Any]) -> None:
    (command,) = [text for _, text in typed_in(page("costs.md")) if "reconcile_costs" in text]
    done = typist.shell(command)
    assert done.returncode in {0, 1}, done.stderr
    assert "market" in done.stdout.lower()
