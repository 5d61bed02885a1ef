"""The secrets of a local run: generated once, stored in a file that only its owner can read."""

import json
import os
import secrets
import string
from collections.abc import Callable
from pathlib import Path

from deploy.local import LocalError

# Letters and digits only: secrets appear in URLs, shells, HTTP headers and comma-separated options.
ALPHABET = string.ascii_letters + string.digits


def load(path: Path) -> dict[str, str]:
    """The stored secrets; missing ones are generated and stored first."""
    stored = _read(path)
    complete = {name: stored.get(name) or make() for name, make in RECIPES.items()}
    if complete != stored:
        write_private(path, json.dumps(stored | complete, indent=2) + "\n")
    return complete


def write_private(path: Path, text: str) -> None:
    """Replace the file atomically; it is never readable by others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", errors="surrogateescape") as file:  # variables may have bytes that are no text
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read(path: Path) -> dict[str, str]:
    try:
        stored = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LocalError(
            f"{path} cannot be read ({error}): repair it, or remove it to have new secrets made."
        ) from None
    if not isinstance(stored, dict):
        raise LocalError(f"{path} holds no JSON object: remove it to have new secrets made.")
    if wrong := [name for name, value in stored.items() if not isinstance(value, str | None)]:
        raise LocalError(f"{path}: {', '.join(wrong)} must be text in quotes; what is removed is made anew.")
    return {name: value for name, value in stored.items() if value is not None}


def _random(length: int, alphabet: str = ALPHABET) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


RECIPES: dict[str, Callable[[], str]] = {
    "DJANGO_SECRET_KEY": lambda: _random(60),
    "WA_APP_SECRET": lambda: secrets.token_hex(16),
    "WA_WEBHOOK_VERIFY_TOKEN": lambda: _random(32),
    "WA_ACCESS_TOKEN": lambda: _random(64),
    "API_KEY": lambda: f"wak_{_random(8, string.ascii_lowercase + string.digits)}_{_random(43)}",
    "ADMIN_PASSWORD": lambda: _random(20),
    "FLOWER_PASSWORD": lambda: _random(20),
    "POSTGRES_PASSWORD": lambda: _random(32),
}
