"""The environment of local processes: the caller's variables, and local defaults for the rest."""

import ipaddress
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local import LocalError

LANES = ("incoming", "outgoing", "analytics")
ACCOUNT = "000000000000"
# Identifies our processes, also after the one that started them has ended.
MARKER = "LOCAL_RUN_OF"

# A developer's own AWS settings must never reach, sign or redirect a local request.
FOREIGN = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
# The bus on which Flower and `celery inspect` meet the workers.
MONITOR_QUEUE = "SQS_MONITOR_QUEUE_URL"
MUST_BE_LOCAL = (MONITOR_QUEUE, "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL", "WA_GRAPH_URL")


def embedded_parts(caller: Mapping[str, str]) -> tuple[str, ...]:
    """The parts to start here; a database or an SQS server that the caller configures replaces ours."""
    parts = {"postgres": "DATABASE_URL", "sqs": "AWS_ENDPOINT_URL_SQS"}
    return (*(part for part, variable in parts.items() if not caller.get(variable)), "sandbox")


def build(caller: Mapping[str, str], secrets: Mapping[str, str], ports: Mapping[str, int], var: Path) -> dict[str, str]:
    """The environment of all processes. A variable set by the caller wins; an empty one counts as not set."""
    env = {name: value for name, value in caller.items() if name not in FOREIGN}
    for name, value in _defaults(env, secrets, ports, var).items():
        env[name] = env.get(name) or value
    env |= {
        "DEPLOYMENT": "local",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "VAR_DIR": str(var),
        MARKER: str(var),
        "PYTHONUNBUFFERED": "1",
        # The commands of the Procfile are those beside the running interpreter, whatever the caller's PATH says.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), caller.get("PATH") or os.defpath)),
    }
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join(filter(None, (env.get(name), "127.0.0.1", "localhost")))
    refuse_remote(env)
    return env


def refuse_remote(env: Mapping[str, str]) -> None:
    """Raise LocalError if a URL of SQS or of the Cloud API is on another machine."""
    for name in (*MUST_BE_LOCAL, *(variable for lane in LANES for variable in queue_variables(lane))):
        url = env.get(name)
        if url and not _is_loopback(url):
            raise LocalError(f"{name}={url} is not on this machine: make run only uses 127.0.0.1 or localhost there.")


def queue_variables(lane: str) -> tuple[str, str]:
    """The names of the variables that hold a lane's queue URL and its dead letter queue's."""
    return f"SQS_{lane.upper()}_QUEUE_URL", f"SQS_{lane.upper()}_DLQ_URL"


def _defaults(
    env: Mapping[str, str], secrets: Mapping[str, str], ports: Mapping[str, int], var: Path
) -> dict[str, str]:
    base = f"http://127.0.0.1:{ports['PORT']}"
    sandbox = f"http://127.0.0.1:{ports['SANDBOX_PORT']}"
    endpoint = (env.get("AWS_ENDPOINT_URL_SQS") or f"http://127.0.0.1:{ports['SQS_PORT']}").rstrip("/")
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"
    database = f"postgres://waproject:{secrets['POSTGRES_PASSWORD']}@127.0.0.1:{ports['POSTGRES_PORT']}/waproject"
    flower_user = env.get("FLOWER_USER") or "flower"
    flower_password = env.get("FLOWER_PASSWORD") or secrets["FLOWER_PASSWORD"]
    return {
        **{name: str(port) for name, port in ports.items()},
        **{name: value for name, value in secrets.items() if name != "POSTGRES_PASSWORD"},
        **_queues(endpoint),
        MONITOR_QUEUE: f"{endpoint}/{ACCOUNT}/waproject-monitor",
        "BEAT_SCHEDULE": str(var / "run" / "celerybeat-schedule"),
        "DJANGO_SETTINGS_MODULE": "waproject.settings",
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATABASE_URL": database,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_SQS": endpoint,
        "AWS_ENDPOINT_URL_SNS": endpoint,
        "WA_GRAPH_URL": sandbox,
        "WA_GRAPH_VERSION": "v25.0",
        "WA_PHONE_NUMBER_ID": "106540352242922",
        "ADMIN_USER": "admin",
        "BASE_URL": base,
        "SANDBOX_URL": sandbox,
        "SANDBOX_WEBHOOK_URL": f"{base}/webhook/whatsapp",
        "FLOWER_URL": f"http://127.0.0.1:{ports['FLOWER_PORT']}",
        "FLOWER_USER": flower_user,
        "FLOWER_BASIC_AUTH": f"{flower_user}:{flower_password}",
        "BIND_ADDRESS": "127.0.0.1",
        "WEB_WORKERS": "2",
    }


def _queues(endpoint: str) -> dict[str, str]:
    urls = {}
    for lane in LANES:
        queue, dead_letters = queue_variables(lane)
        urls[queue] = f"{endpoint}/{ACCOUNT}/waproject-{lane}"
        urls[dead_letters] = f"{endpoint}/{ACCOUNT}/waproject-{lane}-dlq"
    return urls


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
