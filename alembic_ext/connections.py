"""The one factory of guarded connections: while we look, nothing that goes through SQLAlchemy can write.

The guard belongs to a context (a ``ContextVar``), never to the process: the application beside us keeps
writing through its own engines, and through the very engine that env.py uses.

- Every connection made inside ``guarded()`` is read-only by the server's own word (MySQL/MariaDB: session
  default; PostgreSQL: per transaction, because a session default leaks through poolers; SQLite: ``mode=ro``
  and ``query_only``), and is closed for good when it is given back, never returned to a pool.
- An idle pooled connection that was made before is replaced by a fresh, guarded one.
- A statement of the project's own that writes is not sent: env.py goes on as if it had run, and the refusal
  is noted with its line.

What does not go through SQLAlchemy (a raw DBAPI connection, another library) is not covered.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from sqlalchemy import Engine, event, text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import Pool
from sqlalchemy.sql import Executable

SQLITE_BUSY_SECONDS = 2.0
LOCK_WAIT_SECONDS = 2

after_read: list[Callable[[str], None]] = []
"""Called with each statement after a short read is over: tests pause us here and prove that nothing is held."""


class LookRefused(BaseException):  # noqa: N818 - not an error: it must pass through env.py's ``except Exception``
    """A connection was not made, because making it would change something.

    :param code: the check that reports it, ``AX106`` or ``AX118``.
    """

    def __init__(self, code: str, path: Path, given: str) -> None:
        super().__init__(f"{code}: {path}")
        self.code = code
        self.path = path
        self.given = given


@dataclass(frozen=True)
class RefusedWrite:
    """A statement that was not sent. ``kind`` is its first words, never its values."""

    kind: str
    path: str | None
    line: int | None


@dataclass
class Guard:
    """What is being looked at right now, and by whom."""

    connect_timeout: float
    own_statement: bool = False
    refused: list[RefusedWrite] = field(default_factory=list)
    begun: dict[int, tuple[bool, str | None, int | None]] = field(default_factory=dict)
    records: list[Any] = field(default_factory=list)

    def guards(self, connection: Connection) -> bool:
        """Whether this connection was made under this guard."""
        return connection.info.get(_MARK) is self

    def autobegun(self, connection: Connection) -> tuple[str | None, int | None] | None:
        """Where the connection's open transaction began by autobegin, or ``None`` when it did not."""
        if not connection.in_transaction():
            return None
        implicit, path, line = self.begun.get(id(connection), (False, None, None))
        return (path, line) if implicit else None

    def close(self) -> None:
        for record in self.records:
            with suppress(Exception):  # a driver may refuse to close what its event loop has already closed
                record.invalidate()


_MARK = "alembic_ext_guard"
_guard: ContextVar[Guard | None] = ContextVar("alembic_ext_guard", default=None)
_listening = 0
_listening_lock = threading.Lock()


@contextmanager
def guarded(connect_timeout: float) -> Iterator[Guard]:
    """Guard every connection made by this thread and context inside the block.

    :param connect_timeout: seconds a server may take to answer while connecting.
    """
    guard = Guard(connect_timeout)
    _listen(+1)
    token = _guard.set(guard)
    try:
        yield guard
    finally:
        _guard.reset(token)
        guard.close()
        _listen(-1)


def separate_engine(engine: Engine) -> Engine:
    """An engine like this one, creators, TLS and connect arguments included, with a pool of its own."""
    return Engine(pool=engine.pool.recreate(), dialect=engine.dialect, url=engine.url)


def in_memory(engine: Engine) -> bool:
    """Whether the database lives in this process only, so that no second connection can see it."""
    if engine.dialect.name != "sqlite":
        return False
    database = engine.url.database or ""
    return (
        database in ("", ":memory:")
        or "mode=memory" in str(engine.url)
        or database.startswith("file::memory:")
    )


@dataclass(frozen=True)
class Reader:
    """Short reads over one connection: each statement is a transaction of its own.

    :param ends_transactions: ``False`` for a caller's own connection, whose transaction is not ours to end.
    """

    connection: Connection
    ends_transactions: bool = True

    @property
    def dialect(self) -> Dialect:
        return self.connection.dialect

    def rows(self, statement: str | Executable, **parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of one query, read and done with.

        :raises NotVisibleError: the server warned that it left something out.
        :raises sqlalchemy.exc.SQLAlchemyError: the query failed.
        """
        guard = _guard.get()
        executable = text(statement) if isinstance(statement, str) else statement
        if guard is not None:
            guard.own_statement = True
        try:
            result = [tuple(row) for row in self.connection.execute(executable, parameters).all()]
            warnings = self._warnings()
        finally:
            if guard is not None:
                guard.own_statement = False
            self._end()
        for hook in after_read:
            hook(str(statement))
        if warnings:
            raise NotVisibleError(warnings[0])
        return result

    def _warnings(self) -> list[str]:
        if self.dialect.name not in ("mysql", "mariadb"):
            return []
        return [
            str(row[2]) for row in self.connection.exec_driver_sql("SHOW WARNINGS").all() if row[0] != "Note"
        ]

    def _end(self) -> None:
        """End the transaction at the driver, so that nothing is held; SQLAlchemy's own state is env.py's."""
        if not self.ends_transactions:
            return
        dbapi_connection: Any = self.connection.connection.dbapi_connection
        if dbapi_connection is not None:
            try:
                dbapi_connection.commit()
            except Exception:  # noqa: BLE001 - a failed transaction can only be rolled back
                with suppress(Exception):
                    dbapi_connection.rollback()


class NotVisibleError(Exception):
    """The server answered with a warning: what it returned may not be everything."""


# --- listeners, installed while somebody looks ---------------------------------------------------------------


def _listen(change: int) -> None:
    global _listening  # noqa: PLW0603 - SQLAlchemy's class-level listeners are process-wide too
    with _listening_lock:
        before, _listening = _listening, _listening + change
        if (before == 0) == (_listening == 0):
            return
        for target, name, function, options in _LISTENERS:
            if _listening:
                event.listen(target, name, function, **options)
            else:
                event.remove(target, name, function)


def _do_connect(dialect: Dialect, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> None:
    guard = _guard.get()
    if guard is None:
        return
    if dialect.name == "sqlite":
        _open_sqlite_read_only(arguments, parameters)
    elif dialect.driver in _TIMEOUT_PARAMETERS:
        for name in _TIMEOUT_PARAMETERS[dialect.driver]:
            parameters.setdefault(name, max(1, int(guard.connect_timeout)))


_TIMEOUT_PARAMETERS = {
    # a server that accepts and says nothing is caught by the read time-out only
    "pymysql": ("connect_timeout", "read_timeout"),
    "mysqldb": ("connect_timeout", "read_timeout"),
    "aiomysql": ("connect_timeout",),
    "asyncmy": ("connect_timeout", "read_timeout"),
    "mysqlconnector": ("connection_timeout",),
    "psycopg": ("connect_timeout",),
    "psycopg_async": ("connect_timeout",),
    "psycopg2": ("connect_timeout",),
    "asyncpg": ("timeout",),
    "pg8000": ("timeout",),
}


def _connect(dbapi_connection: Any, record: Any) -> None:
    guard = _guard.get()
    if guard is None:
        return
    record.info[_MARK] = guard
    guard.records.append(record)
    driver = type(dbapi_connection).__module__
    if "sqlite" in driver:
        _execute(dbapi_connection, "PRAGMA query_only = ON")
        if isinstance(dbapi_connection, sqlite3.Connection):
            dbapi_connection.set_authorizer(_authorize_sqlite)
    elif "mysql" in driver or "mariadb" in driver:
        _execute(dbapi_connection, "SET SESSION TRANSACTION READ ONLY")
        _execute(dbapi_connection, f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")
        _execute(dbapi_connection, f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}")
    elif "asyncpg" in driver:
        dbapi_connection.readonly = True
    elif "psycopg2" in driver:
        dbapi_connection.set_session(readonly=True)
    elif "psycopg" in driver:
        dbapi_connection.read_only = True


def _authorize_sqlite(
    action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None
) -> int:
    """Pass over ``PRAGMA journal_mode = ...`` of a connect listener, refuse to create an attached file."""
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in ("journal_mode", "query_only") and second:
        return sqlite3.SQLITE_IGNORE
    if (
        action == sqlite3.SQLITE_ATTACH
        and first
        and not first.startswith(("file:", ":"))
        and not Path(first).exists()
    ):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


_READ_ONLY_BY_DRIVER = frozenset({"psycopg", "psycopg_async", "psycopg2", "asyncpg"})


def _execute(dbapi_connection: Any, statement: str) -> None:
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def _checkout(dbapi_connection: Any, record: Any, proxy: Any) -> None:
    """A pooled connection made before we looked was never guarded: ask the pool for a fresh one."""
    guard = _guard.get()
    if guard is None or record.info.get(_MARK) is guard:
        return
    if "sqlite" in type(dbapi_connection).__module__ and not _sqlite_file(dbapi_connection):
        return  # closing it would destroy the database in memory
    del proxy
    raise DisconnectionError("replaced by a guarded connection")


def _sqlite_file(dbapi_connection: Any) -> str:
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute("PRAGMA database_list")
        return next((row[2] or "" for row in cursor.fetchall() if row[1] == "main"), "")
    finally:
        cursor.close()


def _checkin(_dbapi_connection: Any, record: Any) -> None:
    if record.info.get(_MARK) is not None:
        record.invalidate()


def _begin(connection: Connection) -> None:
    guard = _guard.get()
    if guard is None:
        return
    if connection.dialect.name == "postgresql" and connection.dialect.driver not in _READ_ONLY_BY_DRIVER:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    frame = sys._getframe(1)  # noqa: SLF001 - the stack is the only witness of who began
    guard.begun[id(connection)] = (_is_autobegin(frame), *_line_of_project(frame))


def _is_autobegin(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "begin" and frame.f_globals.get("__name__") == "sqlalchemy.engine.base":
            return frame.f_back is not None and frame.f_back.f_code.co_name == "_autobegin"
        frame = frame.f_back
    return False


def _line_of_project(frame: FrameType | None) -> tuple[str | None, int | None]:
    """The innermost frame that belongs to neither a library nor us."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in _NOT_THE_PROJECT and "site-packages" not in frame.f_code.co_filename:
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None, None


_NOT_THE_PROJECT = frozenset(
    {"sqlalchemy", "alembic", "alembic_ext", "contextlib", "asyncio", "threading", "importlib"}
)


def _before_cursor_execute(
    connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
) -> tuple[str, Any]:
    guard = _guard.get()
    if guard is None:
        return statement, parameters
    if connection.dialect.name == "postgresql":
        _take_back_autocommit(connection)
    if guard.own_statement or not is_write(statement) or executemany:
        return statement, parameters
    path, line = _line_of_project(sys._getframe(1))  # noqa: SLF001 - see _begin
    guard.refused.append(RefusedWrite(" ".join(statement.split()[:2]).upper(), path, line))
    return "SELECT 1", ()


def _take_back_autocommit(connection: Connection) -> None:
    """PostgreSQL's read-only mode is a transaction's: outside of one nothing would hold a write back."""
    dbapi_connection: Any = connection.connection.dbapi_connection
    if getattr(dbapi_connection, "isolation_level", None) == "autocommit":  # SQLAlchemy's asyncpg adapter
        dbapi_connection.set_isolation_level("read_committed")
    elif getattr(dbapi_connection, "autocommit", False) is True:
        dbapi_connection.autocommit = False


_COMMENT = r"(?:\s|--[^\n]*\n|\#[^\n]*\n|/\*(?!!).*?\*/|\()*"
_WRITE = re.compile(
    rf"{_COMMENT}(?:INSERT|UPDATE|DELETE|MERGE|REPLACE|UPSERT|CREATE|ALTER|DROP|TRUNCATE|RENAME|GRANT|REVOKE|COMMENT"
    r"|LOCK|CALL|DO|VACUUM|REINDEX|CLUSTER|ANALYZE|OPTIMIZE|REPAIR|LOAD|COPY|IMPORT|REFRESH|REASSIGN|SECURITY"
    r"|ATTACH|FLUSH|KILL|PURGE|RESET|/\*!|NOTIFY|INSTALL|UNINSTALL"
    r"|SET\s+(?:GLOBAL|PERSIST|(?:SESSION\s+|LOCAL\s+)?(?:CHARACTERISTICS\s+AS\s+)?TRANSACTION|@@)"
    r"|SET\s+\S*READ_ONLY|SET\s+\S*query_only|START\s+TRANSACTION\s+READ\s+WRITE|BEGIN\s+READ\s+WRITE"
    r")\b",
    re.IGNORECASE | re.DOTALL,
)
_WRITING_PRAGMAS = (
    "application_id|auto_vacuum|encoding|journal_mode|page_size|query_only|user_version|writable_schema"
)
_WRITING_PRAGMA = re.compile(
    rf"{_COMMENT}PRAGMA\s+(?:\w+\.)?(?:(?:{_WRITING_PRAGMAS})\s*[=(]|(?:wal_checkpoint|incremental_vacuum|optimize)\b)",
    re.IGNORECASE | re.DOTALL,
)
_WRITING_WITH = re.compile(
    rf"{_COMMENT}WITH\b.*\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\b", re.I | re.S
)
_TAKES_A_LOCK = re.compile(
    r"\b(?:pg_(?:try_)?advisory_(?:xact_)?lock(?:_shared)?|get_lock)\s*\(", re.IGNORECASE
)


def is_write(statement: str) -> bool:
    """Whether a statement of the project's changes anything or takes an advisory lock.

    In doubt it is let through: the server refuses a write then.
    """
    return any(pattern.match(statement) for pattern in (_WRITE, _WRITING_PRAGMA, _WRITING_WITH)) or bool(
        _TAKES_A_LOCK.search(statement)
    )


# --- SQLite ---------------------------------------------------------------------------------------------------


def _open_sqlite_read_only(arguments: list[Any], parameters: dict[str, Any]) -> None:
    given = str(arguments[0]) if arguments else str(parameters.get("database", ""))
    is_uri = bool(parameters.get("uri")) and given.startswith("file:")
    name, _, query = given.removeprefix("file:").partition("?") if is_uri else (given, "", "")
    options = dict(parse_qsl(query))
    if name in ("", ":memory:") or options.get("mode") == "memory":
        return
    path = Path(unquote(name.removeprefix("//")) if is_uri else name).absolute()
    if not path.is_file():
        raise LookRefused("AX106", path, given)
    if has_hot_journal(path):
        raise LookRefused("AX118", path, given)
    options["mode"] = "ro"
    options.pop("immutable", None)
    arguments[:1] = [f"file:{quote(str(path))}?{urlencode(options)}"]
    parameters["uri"] = True
    parameters["timeout"] = min(float(parameters.get("timeout", SQLITE_BUSY_SECONDS)), SQLITE_BUSY_SECONDS)


def has_hot_journal(path: Path) -> bool:
    """Whether a writer of this SQLite file died and left its rollback journal.

    A journal beside a database that nobody is writing is hot when its header is not zeroed
    (https://www.sqlite.org/lockingv3.html#hot_journals). A reader that may not write cannot roll it back, so
    SQLite refuses it every read: that refusal is how it is told from the journal of a living writer.
    """
    journal = Path(f"{path}-journal")
    try:
        with journal.open("rb") as file:
            if not any(file.read(8)):
                return False
    except OSError:
        return False
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=SQLITE_BUSY_SECONDS)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        return "locked" not in str(error)
    except sqlite3.DatabaseError:
        return False
    else:
        return False
    finally:
        connection.close()


_LISTENERS: tuple[tuple[Any, str, Callable[..., Any], dict[str, Any]], ...] = (
    (Engine, "do_connect", _do_connect, {}),
    (Engine, "begin", _begin, {}),
    (Engine, "before_cursor_execute", _before_cursor_execute, {"retval": True}),
    (Pool, "connect", _connect, {"insert": True}),
    (Pool, "checkout", _checkout, {"insert": True}),
    (Pool, "checkin", _checkin, {}),
)
