"""The environment of a running `make run`, for `manage.py` and `celery` typed by hand.

It applies only to a process without any configuration: with DEPLOYMENT or DJANGO_SECRET_KEY set, a missing variable
stays missing, so that a production process never picks up a local value.
"""

import os
import shlex
from pathlib import Path


def read_local_environment(base_dir: Path) -> None:
    """Set the variables of `var/local.env` (KEY=value, quoted for the shell) that the environment lacks."""
    if "DEPLOYMENT" in os.environ or "DJANGO_SECRET_KEY" in os.environ:
        return
    file = Path(os.environ.get("VAR_DIR") or base_dir / "var") / "local.env"
    if not file.is_file():
        return
    for line in file.read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator:
            os.environ.setdefault(key, "".join(shlex.split(value)))
