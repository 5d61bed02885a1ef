"""The examples of docs/sandbox.md that speak to the sandbox alone, run as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from messaging.sandbox.outcomes.magic_numbers import BROKEN
from messaging.sandbox.settings import Behaviour

from .process import Sandbox

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "sandbox.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
SET_UP = 'json="Content-Type: application/json"\n'


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are curl's")
def test_every_example_is_answered(sandbox: Sandbox) -> None:
    examples = "".join(block for block in BLOCKS[1:] if "$BASE_URL" not in block)
    script = SET_UP + examples.replace("curl -sS", "curl -sS -o /dev/stderr -w '%{http_code} '")
    environment = {"SANDBOX_URL": f"http://127.0.0.1:{sandbox.port}", "PATH": "/usr/bin:/bin", "no_proxy": "*"}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    answers = ran.stdout.split()
    assert set(answers) == {"200"}, ran.stderr
    assert len(answers) > 12


def test_the_page_names_every_setting_and_every_number() -> None:
    page = DOCUMENT.read_text()

    names = [*Behaviour.__dataclass_fields__, *(f"+1 555 {digits[4:]}" for digits in BROKEN)]
    assert [name for name in names if f"`{name}`" not in page] == []
