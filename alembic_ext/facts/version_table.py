"""What the database says of itself: the rows of the version table, as stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, column, select, table
from sqlalchemy.exc import DBAPIError

from alembic_ext.connections import NotVisibleError, Reader
from alembic_ext.facts.availability import Unavailable
from alembic_ext.facts.driver_errors import permission_denied, table_missing, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alembic_ext.facts.history import History


@dataclass(frozen=True, kw_only=True)
class VersionTable:
    """The version table that env.py uses.

    :param schema: the schema it is looked for in, as env.py (or the connection's default) says.
    :param rows: ``version_num`` of every row, as stored; ``None`` for NULL.
    :param column_width: characters that ``version_num`` holds; ``None`` when the table is absent or the column
        has no limit.
    :param width_enforced: the server refuses or truncates longer values (SQLite does neither).
    """

    name: str
    schema: str | None = None
    exists: bool
    rows: tuple[str | None, ...] = ()
    column_width: int | None = None
    width_enforced: bool = True

    @property
    def ids(self) -> tuple[str, ...]:
        """The rows that hold an id at all."""
        return tuple(row for row in self.rows if row is not None and row.strip())

    @property
    def effective_width(self) -> int | None:
        """How long an id may be: Alembic creates ``VARCHAR(32)`` where there is no table yet."""
        if not self.width_enforced:
            return None
        return self.column_width if self.exists else 32


def read_version_table(reader: Reader, options: Mapping[str, Any]) -> VersionTable | Unavailable:
    """Read the rows in one statement, through env.py's own connection and options.

    :param options: the arguments of ``context.configure``: ``version_table`` and ``version_table_schema``.
    """
    name = str(options.get("version_table") or "alembic_version")
    schema = options.get("version_table_schema") or None
    enforced = reader.dialect.name != "sqlite"
    statement: Select[Any] = select(column("version_num")).select_from(
        table(name, schema=reader.schema(schema))
    )
    try:
        rows = tuple(row[0] for row in reader.rows(statement))
        width = _width(reader, name, schema) if enforced else None
    except NotVisibleError as warning:
        return Unavailable(f"the version table {name} was not fully visible: {warning}")
    except DBAPIError as error:
        if table_missing(error):
            if hidden := _hidden_schemas(reader):
                reason = f"this account may not look into the schema {hidden[0]}, which is on the search path"
                return Unavailable(reason, because="AX117")
            return VersionTable(name=name, schema=schema, exists=False, width_enforced=enforced)
        if permission_denied(error):
            return Unavailable(f"this account may not read the version table {name}", because="AX117")
        return Unavailable(f"the version table {name} could not be read: {why_unreadable(error)}")
    return VersionTable(
        name=name,
        schema=schema,
        exists=True,
        rows=tuple(row if row is None else str(row) for row in rows),
        column_width=width,
        width_enforced=enforced,
    )


def _hidden_schemas(reader: Reader) -> list[str]:
    """Schemas of the search path that PostgreSQL passes over in silence, because the account lacks USAGE."""
    if reader.dialect.name != "postgresql":
        return []
    ((path, account),) = reader.rows("SELECT current_setting('search_path'), current_user")
    named = {one.strip().strip('"').replace("$user", account) for one in path.split(",")}
    rows = reader.rows(
        "SELECT nspname FROM pg_catalog.pg_namespace WHERE NOT has_schema_privilege(oid, 'USAGE') ORDER BY 1"
    )
    return [row[0] for row in rows if row[0] in named]


def _width(reader: Reader, name: str, schema: str | None) -> int | None:
    default = "current_schema()" if reader.dialect.name == "postgresql" else "DATABASE()"
    rows = reader.rows(
        "SELECT character_maximum_length FROM information_schema.columns"  # noqa: S608 - two constants
        f" WHERE table_schema = COALESCE(:schema, {default}) AND table_name = :name AND column_name = 'version_num'",
        schema=reader.schema(schema),
        name=name,
    )
    return int(rows[0][0]) if rows and rows[0][0] is not None else None


@dataclass(frozen=True, kw_only=True)
class VersionTableElsewhere:
    """A table with the form of a version table, in another place than the one env.py uses."""

    name: str
    schema: str | None
    rows: tuple[str, ...]


def read_version_tables_elsewhere(
    reader: Reader, used: VersionTable, created: Callable[[], frozenset[str]] = frozenset
) -> tuple[VersionTableElsewhere, ...] | Unavailable:
    """Tables with a ``version_num`` column that are not the one env.py uses, with their rows.

    On MySQL/MariaDB other databases are searched by the table's name only, in any case: asking every table of
    a server for its columns would open them all. One that holds other tables too is a database of its own, of
    another environment perhaps, and its record is not the one that is missed here. A table that this account
    may not read is not absent: then nothing is known. Where env.py chose the schema itself, as it does for each
    tenant, another schema with tables of this history beside its record is another tenant's.

    :param created: names of the tables of this history.
    :raises NotVisibleError: the server warned that it left something out.
    :raises sqlalchemy.exc.DBAPIError: the catalogue could not be read.
    """
    dialect = reader.dialect.name
    rows = reader.rows(_SEARCHES[dialect], name=used.name.lower())
    found = []
    home = reader.rows(_DEFAULT_SCHEMA[dialect])[0][0]
    default = reader.schema(used.schema) or home
    for schema, name in rows:
        if (name, schema) == (used.name, default) or (
            not used.exists and _same(dialect, name, used.name, schema, default)
        ):
            continue
        if dialect in ("mysql", "mariadb") and schema not in (home, default):
            names = {other for place, other in rows if place == schema}
            if any(row[0] not in names for row in reader.rows(_TABLES_OF, schema=schema)):
                continue
        if dialect == "postgresql" and schema not in (home, default) and _chose_schema(reader, used):
            names = {row[0] for row in reader.rows(_RELATIONS_OF, schema=schema)}
            if names & created() - {used.name}:
                continue
        statement: Select[Any] = select(column("version_num")).select_from(table(name, schema=schema))
        try:
            ids = tuple(str(row[0]) for row in reader.rows(statement) if row[0] is not None)
        except DBAPIError as error:
            if permission_denied(error):
                place = f"{schema}.{name}" if schema else name
                return Unavailable(f"this account may not read the version table {place}", because="AX117")
            continue  # not a version table: nothing is claimed about it
        found.append(VersionTableElsewhere(name=name, schema=schema, rows=ids))
    return tuple(found)


def _chose_schema(reader: Reader, used: VersionTable) -> bool:
    """Whether env.py says which schema it means: by an option, or by a search path that it set itself."""
    if used.schema or reader.connection.get_execution_options().get("schema_translate_map"):
        return True
    return bool(
        reader.rows(
            "SELECT current_setting('search_path') <> reset_val FROM pg_catalog.pg_settings"
            " WHERE name = 'search_path'"
        )[0][0]
    )


_RELATIONS_OF = (
    "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p')"
)


def _same(dialect: str, name: str, used: str, schema: str | None, default: str | None) -> bool:
    """SQLite compares names without case: a table there under another case is the same table."""
    return dialect == "sqlite" and schema == default and name.lower() == used.lower()


_DEFAULT_SCHEMA = {
    "sqlite": "SELECT 'main'",
    "mysql": "SELECT DATABASE()",
    "mariadb": "SELECT DATABASE()",
    "postgresql": "SELECT current_schema()",
}

_TABLES_OF = "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema AND table_type = 'BASE TABLE'"
_SEARCH_MYSQL = (
    "SELECT table_schema, table_name FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND column_name = 'version_num'"
    " UNION SELECT table_schema, table_name FROM information_schema.tables"
    " WHERE LOWER(table_name) IN ('alembic_version', :name) AND table_type = 'BASE TABLE'"
)
_SEARCHES = {
    "sqlite": (
        "SELECT 'main', m.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
        " WHERE m.type = 'table' AND c.name = 'version_num' AND :name IS NOT NULL"
    ),
    "mysql": _SEARCH_MYSQL,
    "mariadb": _SEARCH_MYSQL,
    "postgresql": (
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_attribute a"
        " JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE a.attname = 'version_num' AND NOT a.attisdropped AND c.relkind IN ('r', 'p')"
        " AND n.nspname NOT LIKE 'pg\\_%' AND CAST(:name AS text) IS NOT NULL"
    ),
}


def of_this_history(
    elsewhere: tuple[VersionTableElsewhere, ...], history: History
) -> tuple[VersionTableElsewhere, ...]:
    """Those whose rows are revisions of this history."""
    return tuple(other for other in elsewhere if any(row in history.revisions for row in other.rows))


def may_be_meant(other: VersionTableElsewhere, used: VersionTable) -> bool:
    """Whether env.py was perhaps meant to use the other table.

    Where the one that it uses is there, a table of quite another name is more likely a copy of it.
    """
    return not used.exists or other.name.lower() == used.name.lower() or "version" in other.name.lower()
