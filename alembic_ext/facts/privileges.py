"""What the account may do, as far as an upgrade needs it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic_ext.connections import Reader
    from alembic_ext.facts.version_table import VersionTable


@dataclass(frozen=True, kw_only=True)
class Privileges:
    """What an upgrade needs and this account lacks.

    :param account: the account, as the server names it; for SQLite the operating system's user.
    :param missing: each privilege that is certainly missing (``CREATE on shop``).
    :param unknown: why something could not be decided, or ``None``.
    """

    account: str
    missing: tuple[str, ...]
    unknown: str | None = None


def read_privileges(
    reader: Reader, version_table: VersionTable, tables: Callable[[], frozenset[str]] = frozenset
) -> Privileges:
    """Ask the server; never try.

    :param tables: the project's live tables, those in another schema with its name: PostgreSQL lets only their
        owner alter them. Called when there are any that the account does not own.
    :raises NotVisibleError: the server warned that it left something out.
    :raises sqlalchemy.exc.DBAPIError: the server would not say.
    """
    if reader.dialect.name == "sqlite":
        return _sqlite(reader)
    if reader.dialect.name == "postgresql":
        return _postgresql(reader, version_table, tables)
    return _mysql(reader, version_table)


def cannot_read(reader: Reader, reason: str) -> Privileges:
    """The account lacks even what looking needs.

    :param reason: which right that is, as a sentence.
    """
    account = str(reader.rows("SELECT CURRENT_USER")[0][0])
    return Privileges(account=account, missing=(reason.removeprefix("this account may not "),))


def sees_every_table(reader: Reader, schema: str | None = None) -> bool:
    """Whether the catalogue shows this account all tables of a database: MySQL/MariaDB hides the others.

    :param schema: another database than the connection's own. Without either there is nothing to see.
    """
    if reader.dialect.name not in ("mysql", "mariadb"):
        return True
    database = schema or reader.rows("SELECT DATABASE()")[0][0]
    grants = [str(row[0]) for row in reader.rows("SHOW GRANTS")]
    return database is None or bool(_granted(grants, database) & _ON_TABLES)


_ON_TABLES = frozenset(
    {"ALTER", "CREATE", "CREATE VIEW", "DELETE", "DELETE HISTORY", "DELETE VERSIONING ROWS", "DROP", "INDEX",
     "INSERT", "REFERENCES", "SELECT", "SHOW VIEW", "TRIGGER", "UPDATE"}
)  # fmt: skip
"""Privileges that show a table in the catalogue: ``PROCESS`` or ``EXECUTE`` shows none."""


def _sqlite(reader: Reader) -> Privileges:
    file = next((row[2] for row in reader.rows("PRAGMA database_list") if row[1] == "main"), "")
    missing = []
    if file:
        path = Path(file)
        if not os.access(path, os.W_OK):
            missing.append(f"writing the file {path.name}")
        if not os.access(path.parent, os.W_OK):
            missing.append(f"writing the folder of {path.name} (SQLite keeps its journal there)")
    return Privileges(account="this user", missing=tuple(missing))


def _postgresql(
    reader: Reader, version_table: VersionTable, tables: Callable[[], frozenset[str]]
) -> Privileges:
    ((account, schema),) = reader.rows(
        "SELECT current_user, COALESCE(CAST(:s AS text), current_schema())",
        s=reader.schema(version_table.schema),
    )
    if schema is None:
        return Privileges(account=account, missing=("USAGE on any schema of the search path",))
    missing = []
    rows = reader.rows(
        "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = :s", s=schema
    )
    if not rows and not reader.rows("SELECT has_database_privilege(current_database(), 'CREATE')")[0][0]:
        missing.append(f"a schema {schema}")
    elif rows and not rows[0][0]:
        missing.append(f"CREATE on schema {schema}")
    if version_table.exists:
        allowed = reader.rows(
            "SELECT p, has_table_privilege(format('%I.%I', CAST(:s AS text), CAST(:t AS text)), p)"
            " FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS p",
            s=schema,
            t=version_table.name,
        )
        missing += [f"{privilege} on {schema}.{version_table.name}" for privilege, has in allowed if not has]
    others = {row[0] for row in reader.rows(_OWNED_BY_OTHERS, s=reader.schema(None))}
    missing += [f"ownership of {name}" for name in sorted(others & tables() if others else ())]
    return Privileges(account=account, missing=tuple(missing))


_OWNED_BY_OTHERS = (
    "SELECT CASE WHEN n.nspname = COALESCE(CAST(:s AS text), current_schema()) THEN c.relname"
    " ELSE n.nspname || '.' || c.relname END"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%'"
    " AND NOT pg_has_role(current_user, c.relowner, 'USAGE')"
)


_GRANT = re.compile(
    r"^GRANT (?P<what>.+?) ON (?:TABLE )?(?P<database>`(?:[^`]|``)+`|[^`.\s]+)"
    r"\.(?P<table>`(?:[^`]|``)+`|[^`.\s]+) TO ",
    re.IGNORECASE,
)
_NEEDED_HERE = ("CREATE", "ALTER", "DROP", "INDEX", "REFERENCES")
_NEEDED_ON_VERSION_TABLE = ("INSERT", "UPDATE", "DELETE")


def _mysql(reader: Reader, version_table: VersionTable) -> Privileges:
    ((account, database),) = reader.rows("SELECT CURRENT_USER(), DATABASE()")
    grants = [str(row[0]) for row in reader.rows("SHOW GRANTS")]
    home = reader.schema(version_table.schema) or database
    database = database or home
    if database is None:
        return Privileges(account=account, missing=(), unknown="the connection has no default database")
    here, on_table = _granted(grants, database), _granted(grants, home, version_table.name)
    lacking = [f"{one} on {database}" for one in _NEEDED_HERE if one not in here]
    lacking += [
        f"{one} on {home}.{version_table.name}" for one in _NEEDED_ON_VERSION_TABLE if one not in on_table
    ]
    roles = _roles(grants)
    if lacking and roles and not getattr(reader.dialect, "is_mariadb", False):
        # MariaDB lists what the active role may do, MySQL's own server only that there is a role
        return Privileges(
            account=account, missing=(), unknown=f"privileges may come from the role {roles[0]}"
        )
    return Privileges(account=account, missing=tuple(lacking))


def _granted(grants: list[str], database: str, table: str | None = None) -> set[str]:
    """Privileges that hold for a whole database, or for one table of it."""
    granted: set[str] = set()
    for grant in grants:
        match = _GRANT.match(grant)
        if match is None:
            continue
        where_database, where_table = _unquoted(match["database"]), _unquoted(match["table"])
        if where_table not in ("*", table):
            continue
        if where_database != "*" and not _matches(where_database, database):
            continue
        named = {one.strip().upper() for one in re.sub(r"\([^)]*\)", "", match["what"]).split(",")}
        granted |= {*_NEEDED_HERE, *_NEEDED_ON_VERSION_TABLE} if "ALL PRIVILEGES" in named else named
    return granted


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _matches(pattern: str, database: str) -> bool:
    r"""Whether a database name fits the pattern of a grant, where ``_`` and ``%`` are wildcards and ``\_`` is not."""
    expression = re.sub(
        r"\\(.)|(%)|(_)|(.)",
        lambda m: re.escape(m[1]) if m[1] else ".*" if m[2] else "." if m[3] else re.escape(m[4]),
        pattern,
    )
    return re.fullmatch(expression, database, re.IGNORECASE) is not None


def _roles(grants: list[str]) -> list[str]:
    return [match[1] for grant in grants if (match := re.match(r"GRANT (`[^`]+`)(?:@\S+)? TO ", grant))]
