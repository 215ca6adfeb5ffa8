"""SQL for a person to run, that mends rows of the version table: exact, and in the database's own spelling."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy.engine import URL
from sqlalchemy.sql.compiler import IdentifierPreparer

from alembic_ext.facts.version_table import VersionTable

_UNPRINTABLE = {
    "sqlite": "CAST(X'{}' AS TEXT)",
    "mysql": "CONVERT(X'{}' USING utf8mb4)",
    "mariadb": "CONVERT(X'{}' USING utf8mb4)",
    "postgresql": "convert_from(decode('{}', 'hex'), 'UTF8')",
}
"""How each product spells a text that cannot be copied from a screen, by its bytes."""


def delete_rows(used: VersionTable, dialect: str, rows: Sequence[str | None]) -> str:
    """Delete every copy of these rows."""
    return "\n".join(
        f"DELETE FROM {_table(used, dialect)} WHERE {_where(row, used, dialect)};"  # noqa: S608 - shown, never run
        for row in rows
    )


def keep_one(used: VersionTable, dialect: str, row: str) -> str:
    """Make several equal rows one. A table without a key has no name for one of them, so all go and one comes."""
    insert = f"INSERT INTO {_table(used, dialect)} (version_num) VALUES ({_literal(row, dialect)});"  # noqa: S608 - shown, never run
    return f"BEGIN;\n{delete_rows(used, dialect, (row,))}\n{insert}\nCOMMIT;"


def write_id(used: VersionTable, dialect: str, row: str, meant: str) -> str:
    """Write the id that the row stands for, in a column that is made wide enough for it."""
    update = (
        f"UPDATE {_table(used, dialect)} SET version_num = {_literal(meant, dialect)}"  # noqa: S608 - shown
        f" WHERE {_where(row, used, dialect)};"
    )
    if not used.width_enforced or used.column_width is None or len(meant) <= used.column_width:
        return update
    kind = f"VARCHAR({len(meant)})"
    change = (
        f"ALTER COLUMN version_num TYPE {kind}"
        if dialect == "postgresql"
        else f"MODIFY version_num {kind} NOT NULL"
    )
    return f"ALTER TABLE {_table(used, dialect)} {change};\n{update}"


def _table(used: VersionTable, dialect: str) -> str:
    preparer = _preparer(dialect)
    name = preparer.quote(used.name)
    return f"{preparer.quote_schema(used.schema)}.{name}" if used.schema else name


@lru_cache(maxsize=4)
def _preparer(dialect: str) -> IdentifierPreparer:
    return URL.create(dialect).get_dialect()(paramstyle="named").identifier_preparer  # type: ignore[call-arg]


def _where(row: str | None, used: VersionTable, dialect: str) -> str:
    """What holds for this row and no other one: MySQL and MariaDB compare without case, and without blanks behind."""
    if row is None:
        return "version_num IS NULL"
    alike = {other for other in used.rows if other is not None and _folded(other) == _folded(row)}
    if dialect in ("mysql", "mariadb") and alike != {row}:
        return f"CAST(version_num AS BINARY) = CAST({_literal(row, dialect)} AS BINARY)"
    return f"version_num = {_literal(row, dialect)}"


def _folded(row: str) -> str:
    return row.rstrip().casefold()


def _literal(text: str, dialect: str) -> str:
    if not text.isprintable():
        return _UNPRINTABLE[dialect].format(text.encode().hex().upper())
    if dialect in ("mysql", "mariadb"):
        text = text.replace("\\", "\\\\")
    return "'" + text.replace("'", "''") + "'"
