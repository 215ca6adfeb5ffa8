"""Database URLs: from text or from parts, always as an object, never through a configparser."""

from __future__ import annotations

import os
import os.path
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from alembic_ext.errors import AlembicExtError

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("sqlite", "mysql", "mariadb", "postgresql")
ALIASES = {"sqlite3": "sqlite", "postgres": "postgresql", "pgsql": "postgresql", "pg": "postgresql"}
"""Other names that people give to a kind in YAML. In a URL they are errors, as they are to SQLAlchemy."""

_SCHEME = re.compile(r"[A-Za-z][\w+.-]*")
_QUERY = re.compile(r"\?(?=[A-Za-z_][\w.]*=)")
_RAW_PASSWORD = re.compile(r"://[^:/@\s]*:(?P<password>\S*)@")
_MAX_PORT = 65535


class BadURLError(AlembicExtError):
    """Raised for text that is no usable URL. The message goes on from the key's name, and never shows the value.

    :param placeholder: it is the example that ``alembic init`` wrote, so nothing was configured yet.
    """

    def __init__(self, message: str, *, hint: str, placeholder: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.placeholder = placeholder


def read_url(text: str, root: Path) -> URL:
    """A URL from its text.

    Parts are percent-decoded as in any URL. A user or password that is plainly not encoded (it holds an ``@``,
    or a ``/`` or ``:`` that would make nonsense of the host) is taken literally, up to the last ``@``.

    :raises BadURLError: no URL, or one that cannot work.
    """
    text = text.strip()
    scheme, separator, rest = text.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise BadURLError("is not a database URL.", hint="Write dialect://user:password@host:port/database.")
    if scheme == "driver":
        raise BadURLError(
            "is still the placeholder that 'alembic init' wrote.",
            hint="Name your database.",
            placeholder=True,
        )
    url = _parse(text)
    if url is None or "@" in f"{url.host or ''}{'' if scheme.startswith('sqlite') else url.database or ''}":
        url = _parse_literally(scheme, rest)
    return finished(url, root)


def create_url(
    drivername: str,
    root: Path,
    *,
    username: str | None = None,
    password: str | None = None,
    host: str | None = None,
    port: int | None = None,
    database: str | None = None,
    query: Mapping[str, str] | None = None,
) -> URL:
    """A URL from its parts, each taken literally.

    :raises BadURLError: the parts cannot work together.
    """
    return finished(URL.create(drivername, username, password, host, port, database, dict(query or {})), root)


def read_port(text: str) -> int:
    """
    :raises BadURLError: not a number from 1 to 65535.
    """
    if not re.fullmatch(r"[0-9]{1,5}", text.strip()) or not 0 < int(text) <= _MAX_PORT:
        raise BadURLError(
            "has a port that is no number from 1 to 65535.", hint="Write the port as a number, such as 3306."
        )
    return int(text)


def finished(url: URL, root: Path) -> URL:
    """The URL with its driver named, its dialect known, and an absolute SQLite file.

    ``mysql`` and ``mariadb`` without a driver get PyMySQL, which is always installed; ``postgresql`` gets
    psycopg, else psycopg2, whichever can be imported, else stays as written.

    :raises BadURLError: SQLAlchemy knows no such dialect.
    """
    if url.drivername.split("+")[0] in ALIASES:
        dialect, plus, driver = url.drivername.partition("+")
        raise BadURLError(
            f"names the dialect {dialect!r}, which SQLAlchemy does not know.",
            hint=f"Write {ALIASES[dialect]}{plus}{driver}://",
        )
    if url.port is not None:
        read_port(str(url.port))
    url = url.set(drivername=_with_driver(url.drivername))
    try:
        url.get_dialect()
    except NoSuchModuleError:
        raise BadURLError(
            f"names the dialect {url.drivername!r}, which SQLAlchemy does not know.",
            hint=f"Known are {', '.join(KINDS)}, and what installed packages add.",
        ) from None
    except ImportError:
        pass  # the driver is missing: a check of its own says so
    return absolute_sqlite(url, root)


def absolute_sqlite(url: URL, root: Path) -> URL:
    """A relative SQLite file, also in a ``file:`` URI, resolved against the project root."""
    database = url.database
    if url.get_backend_name() != "sqlite" or not database or database == ":memory:":
        return url
    if database.startswith("file:") and url.query.get("uri") in {"true", "True", "1"}:
        name = unquote(database.removeprefix("file:"))
        if not name or name.startswith(("/", ":memory:")) or url.query.get("mode") == "memory":
            return url
        return url.set(database="file:" + quote(Path(os.path.normpath(root / name)).as_posix(), safe="/:"))
    return url.set(database=os.path.normpath(root / _as_file_name(database)))


def _as_file_name(name: str) -> str:
    """The name as Python can open it, also where Python takes file names for ASCII (``PYTHONUTF8=0`` in the C locale)."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return os.fsdecode(name.encode("utf-8", "surrogateescape"))
    return name


def passwords_in(text: str) -> tuple[str, ...]:
    """Every reading of the password in a URL's text, however broken the URL is."""
    match = _RAW_PASSWORD.search(text)
    if match is None:
        return ()
    url = _parse(text)
    found = (match["password"], unquote(match["password"]), None if url is None else url.password)
    return tuple(dict.fromkeys(str(password) for password in found if password))


def _with_driver(drivername: str) -> str:
    if drivername in {"mysql", "mariadb"}:
        return f"{drivername}+pymysql"
    if drivername == "postgresql":
        for driver in ("psycopg", "psycopg2"):
            if find_spec(driver) is not None:
                return f"postgresql+{driver}"
    return drivername


def _parse(text: str) -> URL | None:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # the message of ValueError holds part of the URL
        return None


def _parse_literally(scheme: str, rest: str) -> URL:
    """Split at the last ``@`` before the query, and decode neither user nor password."""
    query = next(
        (match for match in reversed(list(_QUERY.finditer(rest))) if "@" in rest[: match.start()]), None
    )
    head, tail = (rest, "") if query is None else (rest[: query.start()], rest[query.start() :])
    credentials, at, place = head.rpartition("@")
    port = re.search(r":(?P<port>[^:/\]]*)(?=/|$)", place)
    if port is not None and port["port"]:
        read_port(port["port"])
    url = _parse(f"{scheme}://{place}{tail}")
    if url is None:
        raise BadURLError("is not a database URL.", hint="Write dialect://user:password@host:port/database.")
    if not at:
        return url
    username, colon, password = credentials.partition(":")
    return url.set(username=username or None, password=password if colon else None)
