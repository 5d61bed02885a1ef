"""The database's address from the environment: one URL, or its parts if a secret holds only the password."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import environ
from django.core.exceptions import ImproperlyConfigured

PARTS = ("DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD")


SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
ENGINE = "django.db.backends.postgresql"
FORM = "postgres://user:password@host:port/name"


def database(env: Mapping[str, str]) -> dict[str, Any]:
    """Django's DATABASES entry. Raises ImproperlyConfigured with the invalid variable's name.

    The error does not quote the URL, which contains the password.
    """
    url = database_url(env)
    try:
        # For another scheme the library would log a warning that quotes the URL with its password.
        found: dict[str, Any] = environ.Env.db_url_config(url) if url.partition("://")[0] in SCHEMES else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        found = {}
    if found.get("ENGINE") != ENGINE or not found.get("NAME"):
        raise ImproperlyConfigured(f"DATABASE_URL is not a PostgreSQL address: {FORM}.")
    return found


def database_url(env: Mapping[str, str]) -> str:
    """DATABASE_URL, or a URL of DATABASE_HOST, _PORT (5432), _NAME, _USER, _PASSWORD and _SSLMODE.

    Raises ImproperlyConfigured with the name of a variable that is missing.
    """
    if url := env.get("DATABASE_URL"):
        return url
    if not env.get("DATABASE_HOST"):
        raise ImproperlyConfigured(f"DATABASE_URL is not set: {FORM}.")
    for name in PARTS:
        if not env.get(name):
            raise ImproperlyConfigured(f"{name} is not set, while DATABASE_HOST is.")
    host, name, user, password = (quote(env[part], safe="") for part in PARTS)
    query = urlencode({"sslmode": env["DATABASE_SSLMODE"]}) if env.get("DATABASE_SSLMODE") else ""
    return f"postgres://{user}:{password}@{host}:{env.get('DATABASE_PORT') or 5432}/{name}{'?' if query else ''}{query}"
