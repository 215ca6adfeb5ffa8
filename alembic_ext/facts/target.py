"""Which database was looked at, and where its address came from."""

from __future__ import annotations

from dataclasses import dataclass

from alembic_ext.settings import Source


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
