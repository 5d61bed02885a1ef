"""The Procfile: the production command of each process, which a local run starts too."""

import re
from pathlib import Path

from deploy.local import LocalError

LINE = re.compile(r"^(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>\S.*?)\s*$")


def read(path: Path) -> dict[str, str]:
    """Each process's name and shell command, in the file's order. Blank lines and comments are skipped."""
    commands: dict[str, str] = {}
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.match(line)
        if not match:
            raise LocalError(f"{path.name}, line {number} is not 'name: command': {line.strip()!r}.")
        if match["name"] in commands:
            raise LocalError(f"{path.name}, line {number} names the process {match['name']!r} a second time.")
        commands[match["name"]] = match["command"]
    return commands
