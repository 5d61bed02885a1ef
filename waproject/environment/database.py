"""The database's address from the environment: one URL, or its parts if a secret holds only the password."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import environ
from django.core.exceptions import ImproperlyConfigured
from psycopg2 import ProgrammingError
from psycopg2.extensions import make_dsn

PARTS = ("DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD")
LAST_PORT = 65535
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
ENGINE = "django.db.backends.postgresql"
FORM = "postgres://user:password@host:port/name"
# Options that Django takes out before it hands the others to libpq.
OF_DJANGO = ("assume_role", "isolation_level", "pool", "server_side_binding")


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
        raise ImproperlyConfigured(f"DATABASE_URL is not a PostgreSQL address such as {FORM}.")
    _check_options(found.get("OPTIONS", {}))
    return found


def _check_options(options: Mapping[str, Any]) -> None:
    """Raise ImproperlyConfigured for an option that libpq refuses.

    A process waits for a database that does not answer, and so it would for one whose options libpq refuses."""
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise ImproperlyConfigured(f"DATABASE_URL has an sslmode that is none of {', '.join(SSL_MODES)}.")
    try:
        make_dsn(**{name: value for name, value in options.items() if name not in OF_DJANGO})
    except ProgrammingError:
        raise ImproperlyConfigured("DATABASE_URL has an option that PostgreSQL's libpq does not know.") from None


def database_url(env: Mapping[str, str]) -> str:
    """DATABASE_URL, or a URL of DATABASE_HOST, _PORT (5432), _NAME, _USER, _PASSWORD and _SSLMODE.

    Raises ImproperlyConfigured with the name of a variable that is missing or malformed.
    """
    if url := env.get("DATABASE_URL"):
        return url
    if not env.get("DATABASE_HOST"):
        raise ImproperlyConfigured(f"DATABASE_URL is not set; its form is {FORM}.")
    for name in PARTS:
        if not env.get(name):
            raise ImproperlyConfigured(f"{name} is not set, while DATABASE_HOST is.")
    port, ssl_mode = env.get("DATABASE_PORT") or "5432", env.get("DATABASE_SSLMODE") or ""
    if not (port.isdecimal() and 0 < int(port) <= LAST_PORT):
        raise ImproperlyConfigured(f"DATABASE_PORT is not a whole number from 1 to {LAST_PORT}.")
    if ssl_mode and ssl_mode not in SSL_MODES:
        raise ImproperlyConfigured(f"DATABASE_SSLMODE is not {', '.join(SSL_MODES[:-1])} or {SSL_MODES[-1]}.")
    host, name, user, password = (quote(env[part], safe="") for part in PARTS)
    query = "?" + urlencode({"sslmode": ssl_mode}) if ssl_mode else ""
    return f"postgres://{user}:{password}@{host}:{port}/{name}{query}"
