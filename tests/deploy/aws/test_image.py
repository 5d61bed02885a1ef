"""deploy/Dockerfile and deploy/process: the Procfile's processes in containers."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from deploy.local import procfile
from tests.deploy.aws import image
from tests.processes import CHECKOUT, expanded
from tests.waiting import PATIENCE_S

COMMANDS = procfile.read(CHECKOUT / "Procfile")
ENTRY_POINT = CHECKOUT / "deploy" / "process"
# Says with which arguments it runs, and as which process.
PROGRAM = '#!/bin/sh\necho "$$ $(basename "$0") $*"\n'
LIMIT_BYTES = 350_000_000


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """An environment whose gunicorn, granian, celery and python only say how they were called."""
    for name in ("gunicorn", "granian", "celery", "python"):
        (tmp_path / name).write_text(PROGRAM)
        (tmp_path / name).chmod(0o755)
    return {"PATH": f"{tmp_path}:/usr/bin:/bin"}


def called(arguments: list[str], env: dict[str, str]) -> tuple[bool, list[str]]:
    """Whether the program took the entry point's place, and how it was called."""
    with subprocess.Popen([str(ENTRY_POINT), *arguments], env=env, stdout=subprocess.PIPE, text=True) as process:
        pid, *words = shlex.split(process.communicate(timeout=PATIENCE_S)[0])
    return int(pid) == process.pid, words


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("variables", [{}, {"BIND_ADDRESS": "0.0.0.0", "PORT": "9000", "WEB_WORKERS": "7"}])  # noqa: S104
def test_the_entry_point_becomes_the_procfiles_process(
    name: str, variables: dict[str, str], programs: dict[str, str]
) -> None:
    env = programs | variables
    assert called([name], env) == (True, expanded(COMMANDS[name], env))


def test_the_entry_point_becomes_any_other_command(programs: dict[str, str]) -> None:
    assert called(["python", "manage.py", "migrate"], programs) == (True, ["python", "manage.py", "migrate"])


def test_the_image_starts_by_the_entry_point_and_not_as_root() -> None:
    assert image.last("ENTRYPOINT") == ["/app/deploy/process"]
    assert image.last("CMD")[0] in COMMANDS
    assert image.last("USER").split(":")[0] not in {"0", "root"}
    assert image.last("STOPSIGNAL") == "SIGTERM"


def test_the_image_installs_hashed_requirements_alone() -> None:
    installs = [arguments for name, arguments in image.instructions() if name == "RUN" and "install " in arguments]
    assert all("--require-hashes -r" in each for each in installs if "pip" in each)
    assert not any("apt-get" in each for each in installs)


@pytest.mark.slow("collects all static files")
def test_static_files_are_collected_and_the_code_is_whole_in_the_image(tmp_path: Path) -> None:
    tree = tmp_path / "app"
    image.copy_context(tree)
    (build,) = [arguments for name, arguments in image.instructions() if name == "RUN" and "collectstatic" in arguments]
    # Nothing of the tests' own environment: what the line does not set, the build does not have.
    env = {"PATH": f"{CHECKOUT / '.venv' / 'bin'}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    subprocess.run(["/bin/sh", "-c", build], env=env, cwd=tree, check=True, timeout=PATIENCE_S)
    collected = {path.name for path in (tree / "staticfiles").iterdir()}
    assert {"admin", "unfold", "monitoring", "messaging", "waproject"} <= collected
    assert not (tree / "messaging" / "sandbox").exists()
    size = image.BASE_BYTES + image.packages_bytes() + image.tree_bytes(tree)
    assert size < LIMIT_BYTES, size


def test_the_entry_point_may_be_executed() -> None:
    assert os.access(ENTRY_POINT, os.X_OK)
