"""Ctrl-C ends a command of manage.py without a traceback."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests import warm_python
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S


@pytest.mark.enable_socket
@pytest.mark.slow("starts a process")
def test_ctrl_c_ends_a_command_with_a_word_and_the_status_of_a_shell() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = ("--target", address, "--ledger", address, "--rate", "1", "--seconds", "1")
        run = warm_python.Popen(
            [sys.executable, "manage.py", "loadtest", *options],
            env={**os.environ, "API_KEY": "wak_x_y"}, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        asked, _ = silent.accept()
        with asked:
            run.send_signal(signal.SIGINT)
            _, stderr = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, stderr.strip()) == (130, "Stopped.")
