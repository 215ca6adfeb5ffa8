"""Names of the tables that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_ext.connections import NotVisibleError
from alembic_ext.facts.privileges import sees_every_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alembic_ext.connections import Reader
    from alembic_ext.facts.created_tables import CreatedTables
    from alembic_ext.facts.version_table import VersionTable


@dataclass(frozen=True, kw_only=True)
class LiveTables:
    """Base tables of the connection's default schema, or of the one that env.py translates it to.

    :param schema: that schema (PostgreSQL), the database (MySQL/MariaDB), ``main`` (SQLite).
    :param elsewhere: schema and name of the tables in other schemas that the project names, as it names them.
    """

    schema: str | None
    names: frozenset[str]
    elsewhere: frozenset[tuple[str, str]] = frozenset()

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


def read_live_tables(reader: Reader, schemas: frozenset[str] = frozenset()) -> LiveTables:
    """Read the names, each schema's in one short query.

    :param schemas: further schemas, by the names that the project gives them.
    :raises NotVisibleError: the server warned that it left something out, or leaves it out in silence.
    :raises sqlalchemy.exc.DBAPIError: the catalogue could not be read.
    """
    rows = _read(reader, reader.schema(None))
    home = rows[0][0] if rows else None
    elsewhere: set[tuple[str, str]] = set()
    for schema in sorted(schemas):
        elsewhere.update(
            (schema, name) for real, name in _read(reader, reader.schema(schema)) if real != home
        )
    return LiveTables(schema=home, names=frozenset(row[1] for row in rows), elsewhere=frozenset(elsewhere))


def _read(reader: Reader, schema: str | None) -> list[tuple[Any, ...]]:
    dialect = reader.dialect
    query = _QUERIES[dialect.name].replace("::", "\\:\\:")
    if dialect.name == "sqlite":
        attached = {row[1] for row in reader.rows("PRAGMA database_list")}
        if schema is not None and schema not in attached:
            return []
        query = query.replace("{schema}", dialect.identifier_preparer.quote(schema or "main"))
    if not sees_every_table(reader, schema):
        raise NotVisibleError("this account sees only the tables that were granted to it one by one")
    return reader.rows(query, schema=schema)


def tables_of_project(
    live: LiveTables,
    version_table: VersionTable,
    created: CreatedTables,
    model_tables: frozenset[tuple[str | None, str]] = frozenset(),
) -> frozenset[str]:
    """The live tables that the revision files create; the version table is none of them.

    Those in another schema carry its name. Case does not count: a server may store every name in lower case.

    :param model_tables: schema and name of what counts when the files name none of the live tables.
    """
    found = _present(live, {*((None, name) for name in created.plain), *created.qualified}, version_table)
    return found or _present(live, model_tables, version_table)


def _present(
    live: LiveTables, wanted: Iterable[tuple[str | None, str]], version_table: VersionTable
) -> frozenset[str]:
    home = (live.schema or "").lower()
    lower = {
        (None if (schema or home).lower() == home else str(schema).lower(), name.lower())
        for schema, name in wanted
    }
    here = {name for name in live.names if (None, name.lower()) in lower}
    there = {f"{schema}.{name}" for schema, name in live.elsewhere if (schema.lower(), name.lower()) in lower}
    return frozenset(
        name for name in here | there if name.rpartition(".")[2].lower() != version_table.name.lower()
    )
