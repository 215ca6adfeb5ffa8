"""Which database was looked at, and where its address came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from alembic_ext.connections import Reader
from alembic_ext.settings import Settings, Source

DEFAULT_PORTS = {"mysql": 3306, "mariadb": 3306, "postgresql": 5432}


@dataclass(frozen=True, kw_only=True)
class Target:
    """One database, without its password.

    :param host: ``None`` for SQLite and for a local socket.
    :param database: the database's name; for SQLite the file's absolute path, or ``:memory:``.
    :param schema: the default schema (PostgreSQL), else ``None``.
    :param server_version: what the server answered, ``None`` until it answered.
    :param assumed: env.py could not be asked, so this is only what the settings say.
    """

    dialect: str
    driver: str
    host: str | None = None
    port: int | None = None
    database: str | None = None
    schema: str | None = None
    user: str | None = None
    server_version: str | None = None
    assumed: bool = False
    source: Source


def target_of_url(url: URL, source: Source, *, assumed: bool) -> Target:
    """What a URL says, before any server was asked."""
    dialect = url.get_backend_name()
    database = url.database
    if dialect == "sqlite":
        name = (database or "").removeprefix("file:").partition("?")[0]
        database = str(Path(name).absolute()) if name not in ("", ":memory:") else ":memory:"
    return Target(
        dialect=dialect,
        driver=url.get_driver_name() if "+" not in url.drivername else url.drivername.partition("+")[2],
        host=url.host or None,
        port=(url.port or DEFAULT_PORTS.get(dialect)) if url.host else None,
        database=database,
        user=url.username,
        assumed=assumed,
        source=source,
    )


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
    changes: dict[str, Any] = {"server_version": str(version)}
    if said.dialect != "sqlite":
        changes |= {
            "database": database,
            "schema": schema,
            "user": str(user).partition("@")[0] if user else said.user,
        }
    return Target(**{**said.__dict__, **changes})


def source_of(url: URL, settings: Settings) -> Source:
    """Where env.py's URL came from: our settings when they say the same, otherwise env.py itself."""
    named = settings.database
    if named is not None and same_place(target_of_url(url, named.source, assumed=False), named.url):
        return named.source
    return Source(kind="env-script")


def same_place(target: Target, url: URL) -> bool:
    """Whether a target is where a URL points: server and database, by whatever account."""
    other = target_of_url(url, target.source, assumed=False)
    if target.dialect.replace("mariadb", "mysql") != other.dialect.replace("mariadb", "mysql"):
        return False
    if target.dialect == "sqlite":
        return _real(target.database) == _real(other.database)
    return (_host(target.host), target.port, target.database) == (
        _host(other.host),
        other.port,
        other.database,
    )


def _real(database: str | None) -> str | None:
    return database if database in (None, ":memory:") else str(Path(str(database)).resolve())


def _host(host: str | None) -> str:
    return "localhost" if host in (None, "", "localhost", "127.0.0.1", "::1") else str(host).lower()


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
        if key == "host":
            meets = _host(target.host) == _host(str(wanted))
        elif key == "database" and target.dialect == "sqlite":
            meets = str(wanted) in (target.database, Path(str(target.database)).name)
        else:
            meets = str(getattr(target, key, "")) == str(wanted)
        if not meets:
            differing.append(key)
    return tuple(differing)
