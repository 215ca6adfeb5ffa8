"""Which database was looked at, and where its address came from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from socket import gethostname

from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchModuleError

from alembic_ext.connections import Reader
from alembic_ext.settings import Settings, Source

DEFAULT_PORTS = {"mysql": 3306, "mariadb": 3306, "postgresql": 5432}


@dataclass(frozen=True, kw_only=True)
class Target:
    """One database, without its password.

    :param host: ``None`` for SQLite, for a local socket, and where the URL does not say it (``creator=``).
    :param socket: the local socket that the URL names: its folder (PostgreSQL) or file (MySQL).
    :param database: the database's name; for SQLite the file's absolute path, or ``:memory:``.
    :param schema: the default schema (PostgreSQL), else ``None``.
    :param server_version: what the server answered, ``None`` until it answered.
    :param assumed: env.py could not be asked, so this is only what the settings say.
    """

    dialect: str
    driver: str
    host: str | None = None
    port: int | None = None
    socket: str | None = None
    database: str | None = None
    schema: str | None = None
    user: str | None = None
    server_version: str | None = None
    assumed: bool = False
    source: Source


def holds_rest_of_password(url: URL) -> bool:
    """An unescaped ``@`` or ``/`` in the password: what was taken for host or database is part of it."""
    return "@" in (url.host or "") or (url.get_backend_name() != "sqlite" and "@" in (url.database or ""))


def target_of_url(url: URL, source: Source, *, assumed: bool) -> Target:
    """What a URL says, before any server was asked."""
    if holds_rest_of_password(url):
        url = url.set(host="", port=None, database="")
    dialect = url.get_backend_name()
    database = url.database
    if dialect == "sqlite":
        name = (database or "").removeprefix("file:").partition("?")[0]
        database = str(Path(name).absolute()) if name not in ("", ":memory:") else ":memory:"
    host, port, socket = _server(url)
    return Target(
        dialect=dialect,
        driver=_driver(url),
        host=host,
        port=port or (DEFAULT_PORTS.get(dialect) if host or (socket and dialect == "postgresql") else None),
        socket=socket,
        database=database,
        user=url.username,
        assumed=assumed,
        source=source,
    )


def _server(url: URL) -> tuple[str | None, int | None, str | None]:
    """Host, port and socket: drivers take all of them from the URL's query too."""
    query = {key: value if isinstance(value, str) else ",".join(value) for key, value in url.query.items()}
    host = query.get("host") or url.host or query.get("hostaddr") or None
    port = query.get("port") or str(url.port or "")
    if host is not None and (match := re.fullmatch(r"([^/:]+):(\d+)", host)):
        host, port = match[1], match[2]
    socket = query.get("unix_socket")
    if host is not None and host.startswith(("/", "@")):
        host, socket = None, host
    return host if socket is None else None, int(port) if port.isdecimal() else None, socket


def _driver(url: URL) -> str:
    """The driver that is named, else the dialect's own; none where SQLAlchemy knows no such dialect."""
    if "+" in url.drivername:
        return url.drivername.partition("+")[2]
    try:
        return url.get_driver_name()
    except NoSuchModuleError:
        return ""


_ASKED = {
    "sqlite": "SELECT NULL, NULL, NULL, sqlite_version()",
    "mysql": "SELECT DATABASE(), NULL, CURRENT_USER(), VERSION()",
    "mariadb": "SELECT DATABASE(), NULL, CURRENT_USER(), VERSION()",
    "postgresql": "SELECT current_database(), current_schema(), current_user, current_setting('server_version')",
}


def read_target(reader: Reader, url: URL, settings: Settings, *, assumed: bool) -> Target:
    """What the server itself says.

    :raises sqlalchemy.exc.DBAPIError: it would not say.
    """
    said = target_of_url(url, source_of(url, settings), assumed=assumed)
    if reader.dialect.name not in _ASKED:
        return said
    database, schema, user, version = reader.rows(_ASKED[reader.dialect.name])[0]
    if said.dialect == "sqlite":
        files = {row[1]: row[2] for row in reader.rows("PRAGMA database_list")}
        real = files.get("main") if said.database == ":memory:" else None  # creator= opens what no URL says
        return replace(said, server_version=str(version), database=real or said.database)
    return replace(
        said,
        server_version=str(version),
        database=database,
        schema=schema,
        user=str(user).partition("@")[0] if user else said.user,
    )


def source_of(url: URL, settings: Settings) -> Source:
    """Where env.py's URL came from: our settings when they say the same, otherwise env.py itself."""
    named = settings.database
    if named is not None:
        said = target_of_url(url, named.source, assumed=False)
        certain = _names_server(said) or not _names_server(
            target_of_url(named.url, named.source, assumed=False)
        )
        if certain and same_place(said, named.url):
            return named.source
    return Source(kind="env-script")


def same_place(target: Target, url: URL) -> bool:
    """Whether a target may be where a URL points: server and database, by whatever account.

    ``False`` only for what is certain: an engine whose URL names no server (``creator=``, ``connect_args=``)
    may be connected to any.
    """
    other = target_of_url(url, target.source, assumed=False)
    if target.dialect.replace("mariadb", "mysql") != other.dialect.replace("mariadb", "mysql"):
        return False
    if target.dialect == "sqlite":
        return _real(target.database) == _real(other.database)
    searched = _search_path(url)
    if searched and target.schema is not None and not searched & {target.schema, "$user"}:
        return False
    return _database(target) == _database(other) and _same_server(target, other, url)


def _names_server(target: Target) -> bool:
    return target.host is not None or target.socket is not None


def _database(target: Target) -> str | None:
    """The database, also where the URL leaves it to the driver; MySQL may store it in lower case."""
    if target.dialect == "postgresql":
        return target.database or target.user
    return (target.database or "").lower() or None


def _same_server(target: Target, other: Target, url: URL) -> bool:
    asked_of_the_driver = "service" in url.query or "PGHOST" in os.environ or "PGSERVICE" in os.environ
    if not _names_server(target) or (not _names_server(other) and asked_of_the_driver):
        return True
    port = DEFAULT_PORTS.get(target.dialect)
    if _host(target.host) != _host(other.host):
        return False
    if target.dialect == "postgresql":
        folders = {one.socket for one in (target, other) if one.host is None} - _SOCKET_FOLDERS
        both_local = target.host is None and other.host is None
        return (target.port or port) == (other.port or port) and not (
            both_local and len(folders) > 0 and target.socket != other.socket
        )
    if target.socket or other.socket:
        return not (target.socket and other.socket) or target.socket == other.socket
    return (target.port or port) == (other.port or port)


_SOCKET_FOLDERS = {None, "/tmp", "/var/run/postgresql", "/run/postgresql"}  # noqa: S108 - where PostgreSQL keeps it


def _search_path(url: URL) -> set[str]:
    """The schemas that a PostgreSQL URL searches (``options=-csearch_path=app``)."""
    options = url.query.get("options", "")
    match = re.search(
        r"search_path\s*=\s*((?:\\ |\S)+)", options if isinstance(options, str) else " ".join(options)
    )
    return {one.strip(' "\\') for one in match[1].split(",")} if match else set()


def _real(database: str | None) -> str | None:
    return database if database in (None, ":memory:") else str(Path(str(database)).resolve())


def _host(host: str | None) -> str:
    """A host's name in one spelling; every name of this machine's own is ``localhost``."""
    name = (host or "localhost").lower().strip("[]")
    with suppress(ValueError):
        known = ip_address(name)
        known = getattr(known, "ipv4_mapped", None) or known
        name = "localhost" if known.is_loopback else str(known)
    return "localhost" if name == gethostname().lower() else name


def address(target: Target) -> str:
    """The target in the form ``user@host:port/database``, for sentences."""
    if target.dialect == "sqlite":
        return str(target.database)
    host = target.host or "localhost"
    port = f":{target.port}" if target.port and target.port != DEFAULT_PORTS.get(target.dialect) else ""
    account = f"{target.user}@" if target.user else ""
    return f"{target.dialect} {account}{host}{port}/{target.database or ''}"


def expected_differences(target: Target, expect: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of ``expect:`` (``host``, ``port``, ``database``) that this target does not meet."""
    differing = []
    for key, wanted in expect.items():
        if key in ("host", "port") and target.dialect != "sqlite" and not _names_server(target):
            continue  # env.py's URL does not say it: unknown is not different
        if key == "host":
            meets = _host(target.host) == _host(str(wanted)) or target.socket == str(wanted)
        elif key == "database" and target.dialect == "sqlite":
            meets = str(wanted) in (target.database, Path(str(target.database)).name)
        else:
            meets = str(getattr(target, key, "")) == str(wanted)
        if not meets:
            differing.append(key)
    return tuple(differing)
