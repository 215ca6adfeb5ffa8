"""The one factory of guarded connections: while we look, nothing that goes through SQLAlchemy can write.

The guard belongs to a context (a ``ContextVar``), never to the process: the application beside us keeps
writing through its own engines, and through the very engine that env.py uses.

- Every connection made inside ``guarded()`` is read-only by the server's own word (MySQL/MariaDB: session
  default; PostgreSQL: per transaction, because a session default leaks through poolers; SQLite: ``mode=ro``
  and ``query_only``), and is closed for good when it is given back, never returned to a pool.
- An idle pooled connection that was made before is replaced by a fresh, guarded one.
- A statement of the project's own that writes is not sent: env.py goes on as if it had run, and the refusal
  is noted with its line. What slips through (a function that writes, a raw cursor in a transaction) the server
  refuses.

What does not go through SQLAlchemy (a raw DBAPI connection that is switched to autocommit, another library) is
not covered, and neither is a thread that env.py starts by itself.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import threading
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import Pool, StaticPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.sql import Executable

SQLITE_BUSY_SECONDS = 2.0
LOCK_WAIT_SECONDS = 2

OPEN_SQLITE = "PRAGMA schema_version"
"""SQLite opens the file for its first statement: only then it says that the file is locked, or no database."""

after_read: list[Callable[[str], None]] = []
"""Called with each statement after a short read is over: tests pause us here and prove that nothing is held."""


class LookRefused(BaseException):
    """A connection was not made, because making it would change something.

    No ``Exception``: it must pass through env.py's ``except Exception``.

    :param code: the check that reports it, ``AX106`` or ``AX118``.
    """

    def __init__(self, code: str, path: Path, given: str) -> None:
        super().__init__(f"{code}: {path}")
        self.code = code
        self.path = path
        self.given = given


@dataclass(frozen=True)
class RefusedWrite:
    """A write of env.py's that did not happen. ``kind`` is its first words, never its values.

    :param sent: it got past us, and the database refused it.
    """

    kind: str
    path: str | None
    line: int | None
    sent: bool = False


@dataclass
class Guard:
    """What is being looked at right now, and by whom."""

    connect_timeout: float
    own_statement: bool = False
    refused: list[RefusedWrite] = field(default_factory=list)
    begun: dict[int, tuple[bool, str | None, int | None]] = field(default_factory=dict)
    records: list[Any] = field(default_factory=list)
    dialects: dict[int, Dialect] = field(default_factory=dict)

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """The statements inside are ours."""
        before, self.own_statement = self.own_statement, True
        try:
            yield
        finally:
            self.own_statement = before

    def guards(self, connection: Connection) -> bool:
        """Whether this connection was made under this guard."""
        return connection.info.get(_MARK) is self

    def autobegun(self, connection: Connection) -> tuple[str | None, int | None] | None:
        """Where the connection's open transaction began by autobegin, or ``None`` when it did not."""
        if not connection.in_transaction():
            return None
        implicit, path, line = self.begun.get(id(connection), (False, None, None))
        return (path, line) if implicit else None

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Guard this thread and context too: env.py may hand over its connection from another one."""
        token = _guard.set(self)
        try:
            yield
        finally:
            _guard.reset(token)

    def end_transactions_except(self, connection: Connection) -> None:
        """Take back what env.py's other connections hold open. Nothing was written in them."""
        kept = None if connection.closed else connection.connection.dbapi_connection
        for record in self.records:
            if record.dbapi_connection is not None and record.dbapi_connection is not kept:
                with suppress(Exception):  # a connection that is broken holds nothing
                    record.dbapi_connection.rollback()

    def refused_because_of(self, error: BaseException) -> bool:
        """Whether env.py failed because a write of its own did not happen."""
        return is_refusal(error) or (bool(self.refused) and isinstance(error, SQLAlchemyError))

    def close(self) -> None:
        """Close what env.py left open. A record given back may be somebody else's by now."""
        for record in self.records:
            with suppress(Exception):  # a driver may refuse to close what its event loop has already closed
                record.invalidate()


_MARK = "alembic_ext_guard"
_READ_ONLY = "alembic_ext_read_only"
_guard: ContextVar[Guard | None] = ContextVar("alembic_ext_guard", default=None)
_listening_lock = threading.Lock()
_listens: list[bool] = []


def looking() -> bool:
    """Whether this thread and context is inside ``guarded()``."""
    return _guard.get() is not None


@contextmanager
def guarded(connect_timeout: float) -> Iterator[Guard]:
    """Guard every connection made by this thread and context inside the block.

    :param connect_timeout: seconds a server may take to answer while connecting.
    """
    _listen()
    guard = Guard(connect_timeout)
    try:
        with guard.entered():
            yield guard
    finally:
        guard.close()


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

    On PostgreSQL each begins with the search path and the role that env.py set for the transaction in which it
    handed over its connection (``SET LOCAL`` would end with that one), and waits two seconds for a lock.

    :param ends_transactions: ``False`` for a caller's own connection, whose transaction is not ours to end.
    :param like: the caller's connection, whose search path and role count though it is not read over.
    """

    connection: Connection
    ends_transactions: bool = True
    like: Connection | None = None

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
        try:
            with guard.speaking() if guard is not None else nullcontext():
                if self.dialect.name == "postgresql":
                    self.connection.execute(_SET_LOCAL, self._of_env_script)
                result = [tuple(row) for row in self.connection.execute(executable, parameters).all()]
                warnings = self._warnings()
        except DBAPIError:
            self._forget_warnings()
            raise
        finally:
            self._end()
        for hook in after_read:
            hook(str(statement))
        if warnings:
            raise NotVisibleError(warnings[0])
        return result

    def schema(self, name: str | None) -> str | None:
        """A schema's real name: env.py may translate it (``schema_translate_map``)."""
        translated: Mapping[str | None, str | None] = (
            self.connection.get_execution_options().get("schema_translate_map") or {}
        )
        return translated.get(name, name)

    @cached_property
    def _of_env_script(self) -> dict[str, str]:
        asked = text("SELECT current_setting('search_path') AS path, current_setting('role') AS role")
        source = self.like or self.connection
        begins = self.like is not None and not self.like.in_transaction()
        try:
            with source.begin() if begins else nullcontext():
                row = source.execute(asked).one()
        except DBAPIError:  # a failed transaction was left behind
            self._end()
            row = self.connection.execute(asked).one()
        return {"wait": f"{LOCK_WAIT_SECONDS}s", "path": row.path, "role": row.role}

    def _warnings(self) -> list[str]:
        if self.dialect.name not in ("mysql", "mariadb"):
            return []
        return [
            str(row[2]) for row in self.connection.exec_driver_sql("SHOW WARNINGS").all() if row[0] != "Note"
        ]

    def _forget_warnings(self) -> None:
        """MySQL and MariaDB keep an error in the list until a statement that reads a table."""
        if self.dialect.name in ("mysql", "mariadb"):
            with suppress(DBAPIError):
                self.connection.exec_driver_sql("SHOW VARIABLES LIKE ''")

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


_SET_LOCAL = text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('search_path', :path, true),"
    " set_config('role', :role, true)"
)


class NotVisibleError(Exception):
    """The server answered with a warning: what it returned may not be everything."""


# --- listeners ------------------------------------------------------------------------------------------------


def _listen() -> None:
    """Listen from the first look on, for good: outside of a guarded context the listeners do nothing.

    Removing one would raise "deque mutated during iteration" in a thread of the application that is just
    calling it.
    """
    with _listening_lock:
        if not _listens:
            _listens.append(True)
            for target, name, function, options in _LISTENERS:
                event.listen(target, name, function, **options)


def _do_connect(dialect: Dialect, record: Any, arguments: list[Any], parameters: dict[str, Any]) -> None:
    guard = _guard.get()
    if guard is None:
        return
    guard.dialects[id(record)] = dialect
    if dialect.name == "sqlite":
        _open_sqlite_read_only(arguments, parameters)
    elif dialect.driver in CONNECT_TIMEOUTS:
        for name in CONNECT_TIMEOUTS[dialect.driver]:
            parameters.setdefault(name, max(1, int(guard.connect_timeout)))


CONNECT_TIMEOUTS = {
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
    dialect = guard.dialects.pop(id(record), None)
    name = dialect.name if dialect is not None else _dialect_name(dbapi_connection)
    if name is not None:
        _make_read_only(name, dbapi_connection, guard)
        record.info[_READ_ONLY] = True


def _engine_connect(connection: Connection) -> None:
    """Guard by the dialect what a ``creator`` made: its connection may be of any class."""
    guard = _guard.get()
    if guard is not None and guard.guards(connection) and not connection.info.get(_READ_ONLY):
        _make_read_only(connection.dialect.name, connection.connection.dbapi_connection, guard)
        connection.info[_READ_ONLY] = True


def _dialect_name(dbapi_connection: Any) -> str | None:
    """The dialect that this driver's connection belongs to, as far as its class says."""
    driver = type(dbapi_connection).__module__.lower()
    return next(
        (name for name, words in _DRIVER_WORDS.items() if any(word in driver for word in words)), None
    )


_DRIVER_WORDS = {
    "sqlite": ("sqlite",),
    "postgresql": ("postgresql", "psycopg", "asyncpg", "pg8000"),
    "mysql": ("mysql", "mariadb"),
}


def _make_read_only(dialect: str, dbapi_connection: Any, guard: Guard) -> None:
    """By the server's own word. PostgreSQL: for every transaction that the driver begins, where it can say so."""
    driver = type(dbapi_connection).__module__
    if dialect == "sqlite":
        _execute(dbapi_connection, "PRAGMA query_only = ON")
        _execute(dbapi_connection, OPEN_SQLITE)
        authorize = partial(_authorize_sqlite, guard)
        if isinstance(dbapi_connection, sqlite3.Connection):
            dbapi_connection.set_authorizer(authorize)
        elif hasattr(dbapi_connection, "run_async"):
            dbapi_connection.run_async(lambda connection: connection.set_authorizer(authorize))
    elif dialect in ("mysql", "mariadb"):
        _execute(dbapi_connection, "SET SESSION TRANSACTION READ ONLY")
        _execute(dbapi_connection, f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")
        _execute(dbapi_connection, f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}")
    elif "asyncpg" in driver:
        dbapi_connection.readonly = True
    elif hasattr(dbapi_connection, "set_session"):  # psycopg2
        dbapi_connection.set_session(readonly=True)
    elif hasattr(
        dbapi_connection, "set_read_only"
    ):  # psycopg, and SQLAlchemy's adapter of its asynchronous form
        dbapi_connection.set_read_only(True)


def _authorize_sqlite(
    guard: Guard,
    action: int,
    first: str | None,
    second: str | None,
    _database: str | None,
    _trigger: str | None,
) -> int:
    """Pass over pragmas that write, and refuse to attach a file where that would change something."""
    if action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        if name in _ACTING_PRAGMAS or (second is not None and name in _WRITING_PRAGMAS):
            return sqlite3.SQLITE_IGNORE
    elif action == sqlite3.SQLITE_ATTACH and not _attaches_quietly(first):
        path, line = _line_of_project(sys._getframe(1))  # noqa: SLF001
        guard.refused.append(RefusedWrite("ATTACH DATABASE", path, line))
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


_WRITING_PRAGMAS = frozenset(
    {
        "application_id",
        "auto_vacuum",
        "encoding",
        "journal_mode",
        "page_size",
        "query_only",
        "user_version",
        "writable_schema",
    }
)
_ACTING_PRAGMAS = frozenset({"incremental_vacuum", "optimize", "wal_checkpoint"})


def _attaches_quietly(given: str | None) -> bool:
    """Whether a file can be attached without creating it, rolling a dead writer back, or emptying its WAL.

    An attached file is opened for writing, whatever the main one is; only ``query_only`` holds for it too. A
    file name that is not part of the text (a parameter) is unknown here.
    """
    if given is None:
        return False
    path, options = _sqlite_path(given, is_uri=given.startswith("file:"))
    if path is None or options.get("mode") == "ro":
        return True
    wal = Path(f"{path}-wal")
    return path.is_file() and not (wal.is_file() and wal.stat().st_size) and not has_hot_journal(path)


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
    if guard is None:
        return
    if record.info.get(_MARK) is not guard:
        if isinstance(proxy._pool, StaticPool) or (  # noqa: SLF001
            "sqlite" in type(dbapi_connection).__module__ and not _sqlite_file(dbapi_connection)
        ):
            return  # it is in use elsewhere, or closing it would destroy the database in memory
        raise DisconnectionError("replaced by a guarded connection")
    if _dialect_name(dbapi_connection) == "postgresql":
        _take_back_autocommit(dbapi_connection)


def _sqlite_file(dbapi_connection: Any) -> str:
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute("PRAGMA database_list")
        return next((row[2] or "" for row in cursor.fetchall() if row[1] == "main"), "")
    finally:
        cursor.close()


def _checkin(_dbapi_connection: Any, record: Any) -> None:
    guard = record.info.pop(_MARK, None)
    if guard is not None:
        guard.records.remove(record)
        record.invalidate()


def _set_execution_options(_connection: Connection, options: dict[str, Any]) -> None:
    """PostgreSQL's read-only mode is a transaction's: leave no way around it."""
    if _guard.get() is not None:
        options.pop("postgresql_readonly", None)
        if options.get("isolation_level") == "AUTOCOMMIT":
            del options["isolation_level"]


def _begin(connection: Connection) -> None:
    guard = _guard.get()
    if guard is None:
        return
    if connection.dialect.name == "postgresql":
        _hold_read_only(connection, guard)
    frame = sys._getframe(1)  # noqa: SLF001 - the stack is the only witness of who began
    guard.begun[id(connection)] = (_is_autobegin(frame), *_line_of_project(frame))


def _hold_read_only(connection: Connection, guard: Guard) -> None:
    """Before PostgreSQL's transaction begins: an option of the engine may have taken the guard off."""
    dialect: Any = connection.dialect
    if dialect.driver not in _READ_ONLY_BY_DRIVER:
        with guard.speaking():
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    elif guard.guards(connection) and not dialect.get_readonly(connection.connection.dbapi_connection):
        dialect.set_readonly(connection.connection.dbapi_connection, True)  # noqa: FBT003 - SQLAlchemy's


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
    connection: Connection,
    _cursor: Any,
    statement: str,
    parameters: Any,
    _context: Any,
    executemany: bool,  # noqa: FBT001 - SQLAlchemy's
) -> tuple[str, Any]:
    guard = _guard.get()
    if guard is None:
        return statement, parameters
    if connection.dialect.name == "postgresql":
        _take_back_autocommit(connection.connection.dbapi_connection)
    if guard.own_statement or not is_write(statement):
        return statement, parameters
    path, line = _line_of_project(sys._getframe(1))  # noqa: SLF001 - see _begin
    guard.refused.append(RefusedWrite(_kind(statement), path, line))
    return (statement, parameters) if executemany else ("SELECT 1", ())


def _kind(statement: str) -> str:
    """The first two words, and nothing that could be a value."""
    words = re.match(rf"{_COMMENT}([A-Za-z]+)(?:\s+([A-Za-z]+))?", statement, re.DOTALL)
    return " ".join(word for word in (words.groups() if words else ()) if word).upper() or "a statement"


def _do_not_execute(_cursor: Any, statement: str, _parameters: Any, _context: Any) -> bool | None:
    """A write with many rows cannot be replaced by a query: SQLAlchemy is told that it was executed."""
    guard = _guard.get()
    return True if guard is not None and not guard.own_statement and is_write(statement) else None


def _take_back_autocommit(dbapi_connection: Any) -> None:
    """PostgreSQL's read-only mode is a transaction's: outside of one nothing would hold a write back."""
    if getattr(dbapi_connection, "isolation_level", None) == "autocommit":  # SQLAlchemy's asyncpg adapter
        dbapi_connection.set_isolation_level("read_committed")
    elif getattr(dbapi_connection, "autocommit", False) is True:
        dbapi_connection.autocommit = False


_COMMENT = r"(?:\s|--[^\n]*\n|\#[^\n]*\n|/\*(?!!).*?\*/|\()*"
_WRITE = re.compile(
    rf"{_COMMENT}(?:INSERT|UPDATE|DELETE|MERGE|REPLACE|UPSERT|CREATE|ALTER|DROP|TRUNCATE|RENAME|GRANT|REVOKE|COMMENT"
    r"|LOCK|CALL|DO|VACUUM|REINDEX|CLUSTER|ANALYZE|OPTIMIZE|REPAIR|LOAD|COPY|IMPORT|REFRESH|REASSIGN|SECURITY"
    r"|FLUSH|KILL|PURGE|RESET|/\*!|NOTIFY|INSTALL|UNINSTALL|PREPARE\s+TRANSACTION|XA|SHUTDOWN|STOP|CHANGE"
    r"|SET\s+(?:GLOBAL|PERSIST|PASSWORD|DEFAULT|(?:SESSION\s+|LOCAL\s+)?(?:CHARACTERISTICS\s+AS\s+)?TRANSACTION|@@)"
    r"|SET\s[^;]*(?:READ_ONLY|QUERY_ONLY)|START\s+TRANSACTION\s+READ\s+WRITE|BEGIN\s+READ\s+WRITE"
    r")\b",
    re.IGNORECASE | re.DOTALL,
)
_WRITING_PRAGMA = re.compile(
    rf"{_COMMENT}PRAGMA\s+(?:\w+\.)?(?:(?:{'|'.join(_WRITING_PRAGMAS)})\s*[=(]|(?:{'|'.join(_ACTING_PRAGMAS)})\b)",
    re.IGNORECASE | re.DOTALL,
)
_WRITING_WITH = re.compile(
    rf"{_COMMENT}WITH\b.*\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\b", re.IGNORECASE | re.DOTALL
)
_ACTS = re.compile(
    r"\b(?:pg_(?:try_)?advisory_(?:xact_)?lock(?:_shared)?|get_lock|nextval|setval|lo_(?:import|create|unlink)|dblink_exec"
    r"|pg_(?:terminate|cancel)_backend|pg_notify|pg_switch_wal|pg_stat_reset\w*|pg_logical_emit_message|pg_promote"
    r"|pg_(?:create|drop)_\w+|pg_reload_conf|pg_rotate_logfile)\s*\(|\bINTO\s+(?:OUT|DUMP)FILE\b",
    re.IGNORECASE,
)


_LITERAL = re.compile(r"'(?:[^'\\]|''|\\.)*'")


def is_write(statement: str) -> bool:
    """Whether a statement of the project's changes anything, ends a session or takes an advisory lock.

    In doubt it is let through: the server refuses a write then.
    """
    code = _LITERAL.sub("''", statement)
    return bool(_ACTS.search(code)) or any(
        pattern.match(part)
        for part in code.split(";")
        for pattern in (_WRITE, _WRITING_PRAGMA, _WRITING_WITH)
    )


def is_refusal(error: BaseException) -> bool:
    """Whether a server, or SQLite, refused a write because we look, in the driver's words."""
    seen: BaseException | None = error
    while seen is not None:
        inner: Any = getattr(seen, "orig", None) or seen
        state = getattr(inner, "sqlstate", None) or getattr(inner, "pgcode", None)
        number = inner.args[0] if inner.args else None
        said = str(inner)
        if (
            state == "25006"
            or number == _READ_ONLY_MYSQL
            or any(words in said for words in _READ_ONLY_SQLITE)
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


_READ_ONLY_MYSQL = 1792
_READ_ONLY_SQLITE = ("attempt to write a readonly database", "not authorized")


# --- SQLite ---------------------------------------------------------------------------------------------------


def _open_sqlite_read_only(arguments: list[Any], parameters: dict[str, Any]) -> None:
    given = str(arguments[0]) if arguments else str(parameters.get("database", ""))
    path, options = _sqlite_path(given, is_uri=bool(parameters.get("uri")) and given.startswith("file:"))
    if path is None:
        return
    if not (path.is_file() or path.is_dir()):  # SQLite says itself what is wrong with a folder
        raise LookRefused("AX106", path, given)
    if has_hot_journal(path):
        raise LookRefused("AX118", path, given)
    options["mode"] = "ro"
    options.pop("immutable", None)
    arguments[:1] = [f"file:{quote(os.fsencode(path))}?{urlencode(options)}"]
    parameters["uri"] = True
    parameters["timeout"] = min(float(parameters.get("timeout", SQLITE_BUSY_SECONDS)), SQLITE_BUSY_SECONDS)


def _sqlite_path(given: str, *, is_uri: bool) -> tuple[Path | None, dict[str, str]]:
    """The file that SQLite would open, ``None`` for a database in memory, and the options of a URI."""
    name, _, query = given.removeprefix("file:").partition("?") if is_uri else (given, "", "")
    options = dict(parse_qsl(query.partition("#")[0]))
    if name in ("", ":memory:") or options.get("mode") == "memory":
        return None, options
    if is_uri:
        name = unquote(re.sub(r"^//(?:localhost)?(?=/)", "", name.partition("#")[0]))
    return Path(name).absolute(), options


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
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=SQLITE_BUSY_SECONDS
    )
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
    (Engine, "engine_connect", _engine_connect, {"insert": True}),
    (Engine, "begin", _begin, {}),
    (Engine, "set_connection_execution_options", _set_execution_options, {}),
    (Engine, "before_cursor_execute", _before_cursor_execute, {"retval": True}),
    (Engine, "do_execute", _do_not_execute, {}),
    (Engine, "do_executemany", _do_not_execute, {}),
    (Pool, "connect", _connect, {"insert": True}),
    (Pool, "checkout", _checkout, {"insert": True}),
    (Pool, "checkin", _checkin, {}),
)
