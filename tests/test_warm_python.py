"""A fork of the warm Python ends as an interpreter does, and has the modules of its directory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.processes import python
from tests import warm_python

THREAD = "import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()"
# By program: what a process that runs it returns, writes to its output, and last to its errors.
ENDS = {
    "print('done', end='')": (0, "done", ""),
    "import sys; sys.exit()": (0, "", ""),
    "import sys; sys.exit(3)": (3, "", ""),
    "import sys; sys.exit(True)": (1, "", ""),
    "import sys; sys.exit(-1)": (255, "", ""),
    "import sys; sys.exit('no queue')": (1, "", "no queue"),
    "raise ValueError('no queue')": (1, "", "ValueError: no queue"),
    "import atexit; atexit.register(print, 'at exit', end='')": (0, "at exit", ""),
    f"{THREAD}; print('main')": (0, "main\nthread\n", ""),
    "import sys; sys.stdout.reconfigure(errors='backslashreplace'); print('done')": (0, "done\n", ""),
    "import os, signal; os.kill(os.getpid(), signal.SIGTERM)": (-signal.SIGTERM, "", ""),
}


def last_line(text: str) -> str:
    return text.splitlines()[-1] if text else ""


@pytest.mark.slow("starts interpreters")
@pytest.mark.parametrize("program", ENDS)
def test_a_fork_ends_as_an_interpreter_does(program: str) -> None:
    fork = warm_python.run(python("-c", program), env=os.environ)
    cold = subprocess.run(python("-c", program), env=os.environ, capture_output=True, text=True, check=False)
    ends = [(end.returncode, end.stdout, last_line(end.stderr)) for end in (fork, cold)]
    assert ends == [ENDS[program]] * 2


@pytest.mark.slow("starts interpreters")
def test_a_fork_in_a_copy_of_the_project_has_the_modules_of_the_copy(tmp_path: Path) -> None:
    package = tmp_path / "messaging" / "whatsapp"
    package.mkdir(parents=True)
    (package / "client.py").write_text("")
    program = "import messaging.whatsapp.client as client; print(client.__file__)"
    done = warm_python.run(python("-c", program), env=os.environ, cwd=tmp_path)
    assert done.stdout == f"{package / 'client.py'}\n", done.stderr


@pytest.mark.slow("starts interpreters")
def test_a_fork_in_the_checkout_has_its_modules_already() -> None:
    program = "import sys; print('messaging.whatsapp.client' in sys.modules, 'waproject.settings' in sys.modules)"
    assert warm_python.run([sys.executable, "-c", program], env=os.environ).stdout == "True False\n"
