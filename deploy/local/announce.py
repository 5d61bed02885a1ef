"""The announcement of a local run: addresses and log-ins, in var/local.env and as a short table on the terminal."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from deploy.local.credentials import write_private
from deploy.local.environment import LANES, MONITOR_QUEUE, queue_variables

QUEUES = tuple(name for lane in LANES for name in queue_variables(lane))
PUBLISHED = (
    "BASE_URL", "API_KEY", "WA_APP_SECRET", "WA_WEBHOOK_VERIFY_TOKEN", "WA_PHONE_NUMBER_ID", "SANDBOX_URL",
    "FLOWER_URL", "FLOWER_USER", "FLOWER_PASSWORD", "ADMIN_USER", "ADMIN_PASSWORD", "DATABASE_URL",
    "AWS_ENDPOINT_URL_SQS", *QUEUES, MONITOR_QUEUE,
    # Further variables for processes that are started by hand.
    "DEPLOYMENT", "DJANGO_SETTINGS_MODULE", "DJANGO_SECRET_KEY", "DJANGO_ALLOWED_HOSTS", "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_EC2_METADATA_DISABLED", "WA_ACCESS_TOKEN", "WA_GRAPH_URL", "WA_GRAPH_VERSION", "FLOWER_BASIC_AUTH",
    "NO_PROXY", "no_proxy",
)  # fmt: skip

TABLE = """\
API, admin     {BASE_URL}  (/admin/, /api/docs/)
  log in as    {ADMIN_USER}  {ADMIN_PASSWORD}
Flower         {FLOWER_URL}
  log in as    {FLOWER_USER}  {FLOWER_PASSWORD}
Sandbox        {SANDBOX_URL}  (stands in for graph.facebook.com)
  your phone   {SANDBOX_URL}/_sandbox/  (write as a user, tap, see the ticks)
SQS            {AWS_ENDPOINT_URL_SQS}
PostgreSQL     DATABASE_URL in {env_file}
Logs           {log_dir}/

Send a message (nobody has this number, and the warnings in the answer say so):
  {example}
"""
BODY = (
    '{"phone_number": "+1234567890", "message_type": "text", '
    '"message_data": {"content": "Hello from SQS!"}, "priority": "high"}'
)


def write_env_file(var: Path, env: Mapping[str, str]) -> None:
    """Write KEY=value lines, quoted for `set -a; . var/local.env; set +a`, and a copy that stays after the run."""
    names = [*PUBLISHED, *sorted(name for name in env if name.startswith("WA_") and name not in PUBLISHED)]
    text = "".join(f"{name}={shlex.quote(env[name])}\n" for name in names if name in env)
    write_private(_copy(var), text)
    write_private(var / "local.env", text)


def without_published(caller: Mapping[str, str], var: Path) -> dict[str, str]:
    """The caller's variables without those that its shell has from an earlier run's local.env.

    A DATABASE_URL from there is the embedded database's, not the caller's own.
    """
    try:
        # As a shell reads it: a quoted value may have line breaks.
        words = [word.partition("=") for word in shlex.split(_copy(var).read_text(errors="surrogateescape"))]
    except OSError:
        return dict(caller)
    published = {name: value for name, _, value in words}
    return {name: value for name, value in caller.items() if published.get(name) != value}


def _copy(var: Path) -> Path:
    return var / "run" / "published.env"


def table(env: Mapping[str, str], env_file: Path, log_dir: Path) -> str:
    """The addresses, the log-ins, and an example command that sends a message."""
    return TABLE.format_map({**env, "env_file": env_file, "log_dir": log_dir, "example": _example(env)})


def _example(env: Mapping[str, str]) -> str:
    return (
        f"curl -X POST {env['BASE_URL']}/messaging/send "
        f'-H "Authorization: Bearer {env["API_KEY"]}" -H "Content-Type: application/json" -d \'{BODY}\''
    )
