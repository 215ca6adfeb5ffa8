"""What a driver's exception means, across PyMySQL, psycopg, asyncpg, sqlite3 and their relatives.

Error numbers: https://mariadb.com/kb/en/mariadb-error-codes/ and
https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.exc import DBAPIError

from alembic_ext.redaction import redact


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, the driver's own behind it, and everything that caused it."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        one = todo.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += [getattr(one, "orig", None), one.__cause__, one.__context__]


def number(error: BaseException) -> int | None:
    """The MySQL/MariaDB error number."""
    for one in chain(error):
        first: Any = one.args[0] if one.args else None
        if isinstance(first, int) and "mysql" in type(one).__module__:
            return first
    return None


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE, where the driver tells it."""
    for one in chain(error):
        state = getattr(one, "sqlstate", None) or getattr(one, "pgcode", None)
        if isinstance(state, str):
            return state
    return None


def first_line(error: BaseException) -> str:
    """One line that says what the driver said, without SQL, parameters or secrets."""
    inner: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        inner = error.orig
    said = inner.args[1] if len(inner.args) > 1 and isinstance(inner.args[0], int) else inner
    lines = [line.strip() for line in str(said).strip().splitlines()]
    if (
        type(inner).__name__ == "ValidationError"
    ):  # pydantic: the first line counts, the second names the field
        return redact(": ".join(lines[:2]))
    return redact(lines[0] if lines else type(inner).__name__)


_DAMAGED = ("database disk image is malformed", "file is not a database", "malformed database schema")
_NO_SUCH_TABLE = 1146
_LOCK_WAIT_TIMEOUT = 1205


def is_damaged(said: str) -> bool:
    """SQLite's words for a file that is not, or no longer, a database."""
    return any(words in said for words in _DAMAGED)


def is_locked(error: BaseException) -> bool:
    """Another session holds a lock on what was asked for."""
    return (
        number(error) == _LOCK_WAIT_TIMEOUT
        or sqlstate(error) == "55P03"
        or "database is locked" in str(error)
        or "database table is locked" in str(error)
    )


def why_unreadable(error: BaseException) -> str:
    """Why something could not be read: in our words where the driver's would mislead."""
    said = first_line(error)
    if is_locked(error):
        return "locked by another session: a migration may be running; look again when it is done"
    return f"the file is damaged ({said})" if is_damaged(said) else said


def table_missing(error: BaseException) -> bool:
    return (
        number(error) == _NO_SUCH_TABLE
        or sqlstate(error) in ("42P01", "3F000")
        or "no such table" in str(error)
    )


def permission_denied(error: BaseException) -> bool:
    return number(error) in (1142, 1143, 1044, 1227, 1370) or sqlstate(error) == "42501"
