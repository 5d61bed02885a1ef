"""What deploy/Dockerfile makes, without a Docker engine: the files that it copies, its instructions, its size."""

import json
import re
import shutil
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, PackagePath, files
from pathlib import Path
from typing import Any

from tests.processes import CHECKOUT

DOCKERFILE = CHECKOUT / "deploy" / "Dockerfile"
IGNORE = Path("deploy/Dockerfile.dockerignore")
# python:3.11-slim-bookworm, unpacked, as `docker image ls` shows it for amd64, rounded up.
BASE_BYTES = 135_000_000


def copy_context(to: Path, source: Path = CHECKOUT) -> None:
    """Copy a checkout's build context: the ignore file's exceptions from "everything", less what follows them."""
    lines = [line for line in (source / IGNORE).read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    taken = [line[1:] for line in lines if line.startswith("!")]
    left_out = [line for line in lines[1:] if not line.startswith("!")]

    def ignored(directory: str, names: list[str]) -> set[str]:
        inside = Path(directory).relative_to(source)
        return {name for name in names for rule in left_out if fnmatch(str(inside / name), rule.replace("**/", "*"))}

    for name in taken:
        original, target = source / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if original.is_dir():
            shutil.copytree(original, target, ignore=ignored)
        else:
            shutil.copy2(original, target)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each in one line: (RUN, what it runs)."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.M).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def last(instruction: str) -> Any:
    """The last instruction of a kind, which is the one that counts; parsed where it is in exec form."""
    value = [arguments for name, arguments in instructions() if name == instruction][-1]
    return json.loads(value) if value.startswith("[") else value


def packages_bytes() -> int:
    """The size of all files of production's packages, with their bytecode, as they are installed here."""
    pinned = re.findall(
        r"^([A-Za-z0-9_.-]+)==\S+( ;)?", (CHECKOUT / "requirements" / "production.txt").read_text(), flags=re.M
    )
    paths = {Path(str(file.locate())) for name, marker in pinned for file in _files(name, optional=bool(marker))}
    compiled = {cached for path in paths for cached in path.parent.glob(f"__pycache__/{path.stem}.*.pyc")}
    return sum(path.stat().st_size for path in paths | compiled if path.is_file())


def _files(name: str, *, optional: bool) -> list[PackagePath]:
    try:
        return files(name) or []
    except PackageNotFoundError:
        if optional:  # of another platform or Python
            return []
        raise


def tree_bytes(directory: Path) -> int:
    """The size of all files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
