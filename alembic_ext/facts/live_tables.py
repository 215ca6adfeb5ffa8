"""Names of the tables that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_ext.connections import NotVisibleError
from alembic_ext.facts.privileges import sees_every_table

if TYPE_CHECKING:
    from alembic_ext.connections import Reader
    from alembic_ext.facts.created_tables import CreatedTables
    from alembic_ext.facts.version_table import VersionTable


@dataclass(frozen=True, kw_only=True)
class LiveTables:
    """Base tables of the connection's default schema, or of the one that env.py translates it to.

    :param schema: that schema (PostgreSQL), the database (MySQL/MariaDB), ``main`` (SQLite).
    """

    schema: str | None
    names: frozenset[str]

    def has(self, name: str) -> bool:
        return name in self.names or name.lower() in {one.lower() for one in self.names}


_QUERIES = {
    "sqlite": (
        "SELECT COALESCE(:schema, 'main'), name FROM {schema}.sqlite_master"
        " WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ),
    "mysql": (
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"
    ),
    "postgresql": (
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = COALESCE(CAST(:schema AS text), current_schema()) AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT 1"
        " FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid"
        " AND d.deptype = 'e')"
    ),
}
_QUERIES["mariadb"] = _QUERIES["mysql"]


def read_live_tables(reader: Reader) -> LiveTables:
    """Read the names in one short query.

    :raises NotVisibleError: the server warned that it left something out, or leaves it out in silence.
    :raises sqlalchemy.exc.DBAPIError: the catalogue could not be read.
    """
    dialect, schema = reader.dialect, reader.schema(None)
    query = _QUERIES[dialect.name].replace("::", "\\:\\:")
    if dialect.name == "sqlite":
        query = query.replace("{schema}", dialect.identifier_preparer.quote(schema or "main"))
    if not sees_every_table(reader):
        raise NotVisibleError("this account sees only the tables that were granted to it one by one")
    rows = reader.rows(query, schema=schema)
    return LiveTables(schema=rows[0][0] if rows else None, names=frozenset(row[1] for row in rows))


def tables_of_project(
    live: LiveTables, version_table: VersionTable, created: CreatedTables
) -> frozenset[str]:
    """The live tables that the revision files create; the version table is none of them.

    Case does not count: a server may store every name in lower case.
    """
    names = {name.lower() for name in created.names} - {version_table.name.lower()}
    return frozenset(name for name in live.names if name.lower() in names)
