"""The guard: what it refuses, what it lets through, and that it disturbs nobody who does not look."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, StaticPool, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from alembic_ext.connections import LookRefused, Reader, guarded, has_hot_journal, in_memory, is_write
from tests.servers import Server

WRITES = (
    "INSERT INTO t VALUES (1)",
    "  \n-- why\n/* because */ insert into t values (1)",
    "(DELETE FROM t)",
    "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
    "CREATE SCHEMA IF NOT EXISTS s",
    "SET search_path TO s; CREATE TABLE t (id int)",
    "DO $$ BEGIN DELETE FROM t; END $$",
    "/*!40000 ALTER TABLE t DISABLE KEYS */",
    "SELECT pg_advisory_lock(1)",
    "SELECT GET_LOCK('a', 10)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT nextval('s')",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SET SESSION TRANSACTION READ WRITE",
    "SET SESSION tx_read_only = 0",
    "SET default_transaction_read_only = off",
    "SET GLOBAL max_connections = 1",
    "PRAGMA journal_mode = WAL",
    "PRAGMA main.user_version(3)",
    "PRAGMA wal_checkpoint",
    "LOCK TABLES t WRITE",
    "SHUTDOWN",
    "STOP REPLICA",
    "SELECT pg_switch_wal()",
    "SELECT pg_stat_reset()",
    "SELECT lo_create(0)",
)
READS = (
    "SELECT * FROM t",
    "SELECT updated, created FROM t WHERE deleted = 'no'",
    "SELECT 'INSERT INTO t'",
    "SELECT 'a; DELETE b', 'it''s; DROP c'",
    "WITH a AS (SELECT * FROM t WHERE kind = 'update') SELECT * FROM a",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "SET search_path TO s",
    "SET LOCAL search_path TO s",
    "SET ROLE somebody",
    "SET NAMES utf8mb4",
    "SET SESSION lock_wait_timeout = 5",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode",
    "PRAGMA table_info(t)",
    "SHOW TABLES",
    "EXPLAIN SELECT 1",
    "SELECT pg_advisory_unlock(1)",
    "SAVEPOINT a",
    "USE other",
)


@pytest.mark.parametrize("statement", WRITES)
def test_a_write_is_told_from_a_read(statement: str) -> None:
    assert is_write(statement)


@pytest.mark.parametrize("statement", READS)
def test_a_read_is_let_through(statement: str) -> None:
    assert not is_write(statement)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (id INTEGER)")
    connection.close()
    return path


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{file}", poolclass=QueuePool)
    yield engine
    engine.dispose()


def test_a_pooled_connection_made_before_is_replaced_and_not_given_back(engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.connection.dbapi_connection
    with guarded(10), engine.connect() as connection:
        during = connection.connection.dbapi_connection
        assert during is not before
        assert during is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            during.cursor().execute("INSERT INTO t VALUES (1)")
    with engine.begin() as connection:
        assert connection.connection.dbapi_connection is not during
        connection.execute(text("INSERT INTO t VALUES (1)"))


def test_a_record_that_the_application_has_taken_again_is_not_closed(engine: Engine) -> None:
    with guarded(10):
        with engine.connect():
            pass
        taken: list[object] = []

        def application() -> None:
            connection = engine.connect()
            connection.execute(text("INSERT INTO t VALUES (1)"))
            taken.append(connection)

        thread = threading.Thread(target=application)
        thread.start()
        thread.join()
    connection = taken[0]
    connection.commit()  # type: ignore[attr-defined]
    connection.close()  # type: ignore[attr-defined]
    with engine.connect() as check:
        assert check.scalar(text("SELECT count(*) FROM t")) == 1


def test_a_shared_connection_of_the_application_stays_open(file: Path) -> None:
    engine = create_engine(
        f"sqlite:///{file}", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    application = engine.connect()
    with guarded(10) as guard, engine.connect() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        assert [write.kind for write in guard.refused] == ["INSERT INTO"]
    application.execute(text("INSERT INTO t VALUES (2)"))
    application.commit()
    assert application.execute(text("SELECT id FROM t")).all() == [(2,)]
    application.close()
    engine.dispose()


def test_a_database_in_memory_is_not_closed() -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    assert in_memory(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (id INTEGER)"))
    with guarded(10), engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    engine.dispose()


def test_threads_of_the_application_write_undisturbed_while_others_look(file: Path) -> None:
    """Class-level listeners come into being under the feet of threads that are calling others."""
    heard: list[int] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def of_the_application(*_: object) -> None:
        heard.append(1)

    failures: list[BaseException] = []
    over = threading.Event()

    def application(number: int) -> None:
        own = create_engine(f"sqlite:///{file}", connect_args={"timeout": 30})
        try:
            while not over.is_set():
                with own.begin() as connection:
                    connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            failures.append(error)
        own.dispose()

    threads = [threading.Thread(target=application, args=(number,)) for number in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        until = time.monotonic() + 3
        while time.monotonic() < until:
            engine = create_engine("sqlite://")
            with guarded(10), engine.connect() as connection:
                connection.execute(text("SELECT count(*) FROM sqlite_master")).all()
            engine.dispose()
    finally:
        over.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
        event.remove(Engine, "before_cursor_execute", of_the_application)
    assert failures == []
    assert heard


def test_outside_of_a_look_nothing_is_guarded(engine: Engine) -> None:
    with guarded(10):
        pass
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE other (id INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (:id)"), [{"id": 1}, {"id": 2}])
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 2


# SQLite's own files.


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    for url in (
        f"sqlite:///{tmp_path / 'no.db'}",
        f"sqlite:///file:{tmp_path / 'no.db'}?uri=true",
        f"sqlite:///file://{tmp_path / 'no.db'}?uri=true&mode=rwc",
    ):
        with guarded(10), pytest.raises(LookRefused, match="AX106"):
            create_engine(url).connect()
    assert list(tmp_path.iterdir()) == []


def test_a_file_named_by_a_uri_is_opened_read_only(file: Path) -> None:
    engine = create_engine(f"sqlite:///file:{file}?uri=true&mode=rw&cache=private")
    with guarded(10), engine.connect() as connection:
        cursor = connection.connection.cursor()
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            cursor.execute("INSERT INTO t VALUES (1)")
    engine.dispose()


def killed_while_writing(script: str) -> None:
    """Run SQLite code in a process of its own, which is killed where it says so."""
    done = subprocess.run(
        [sys.executable, "-c", f"import os, signal, sqlite3\n{script}\nos.kill(os.getpid(), signal.SIGKILL)"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -9, done.stderr


def leave_hot_journal(file: Path) -> None:
    killed_while_writing(
        f"c = sqlite3.connect({str(file)!r}, isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1')\nc.execute('CREATE TABLE IF NOT EXISTS big (x)')\nc.execute('BEGIN')\n"
        "c.executemany('INSERT INTO big VALUES (?)', [('x' * 3000,) for _ in range(500)])\n"
        "c.execute('UPDATE big SET x = x')\n"
    )


def test_the_journal_of_a_dead_writer_is_hot_and_stays_as_it_is(file: Path) -> None:
    leave_hot_journal(file)
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    assert has_hot_journal(file)
    with guarded(10), pytest.raises(LookRefused, match="AX118"):
        create_engine(f"sqlite:///{file}").connect()
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


def test_the_journal_of_a_living_writer_is_not_hot(file: Path) -> None:
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")
    assert Path(f"{file}-journal").exists()
    assert not has_hot_journal(file)
    engine = create_engine(f"sqlite:///{file}")
    with guarded(10), engine.connect() as connection:
        assert Reader(connection).rows("SELECT count(*) FROM t") == [(0,)]
    engine.dispose()
    writer.execute("COMMIT")
    writer.close()


def test_a_zeroed_journal_is_not_hot(file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = PERSIST")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    assert Path(f"{file}-journal").exists()
    assert not has_hot_journal(file)


def test_a_file_that_somebody_writes_is_locked_and_not_hot(file: Path) -> None:
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("INSERT INTO t VALUES (1)")
    assert not has_hot_journal(file)
    writer.execute("ROLLBACK")
    writer.close()


@pytest.mark.parametrize("driver", ["", "+aiosqlite"])
def test_pragmas_of_a_connect_listener_change_nothing(file: Path, driver: str) -> None:
    engine = create_engine(f"sqlite{driver}:///{file}")

    @event.listens_for(engine, "connect")
    def pragmas(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "user_version = 7", "foreign_keys = ON", "optimize"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}

    def read() -> None:
        with guarded(10), engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        engine.dispose()

    in_greenlet(read) if driver else read()
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


def in_greenlet(function: object) -> None:
    """Call synchronous code over an asynchronous driver."""
    import asyncio

    from sqlalchemy.util import greenlet_spawn

    async def main() -> None:
        await greenlet_spawn(function)  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_second_file_can_be_attached_and_not_written(file: Path) -> None:
    other = file.with_name("other.db")
    sqlite3.connect(other).execute("CREATE TABLE o (id INTEGER)").connection.close()
    before = other.read_bytes()
    engine = create_engine(f"sqlite:///{file}")
    with guarded(10), engine.connect() as connection:
        connection.execute(text(f"ATTACH DATABASE '{other}' AS other"))
        assert connection.execute(text("SELECT count(*) FROM other.o")).scalar() == 0
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.connection.cursor().execute("INSERT INTO other.o VALUES (1)")
    engine.dispose()
    assert other.read_bytes() == before


@pytest.mark.parametrize("state", ["missing", "hot journal", "full wal"])
def test_a_second_file_is_not_attached_where_that_would_change_it(file: Path, state: str) -> None:
    other = file.with_name("other.db")
    if state != "missing":
        sqlite3.connect(other).execute("CREATE TABLE o (id INTEGER)").connection.close()
    if state == "hot journal":
        leave_hot_journal(other)
    if state == "full wal":
        leave_full_wal(other)
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    engine = create_engine(f"sqlite:///{file}")
    with guarded(10) as guard, engine.connect() as connection:
        with pytest.raises(DBAPIError, match="not authorized"):
            connection.execute(text(f"ATTACH DATABASE '{other}' AS other"))
        assert [write.kind for write in guard.refused] == ["ATTACH DATABASE"]
    engine.dispose()
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


def leave_full_wal(file: Path) -> None:
    killed_while_writing(
        f"c = sqlite3.connect({str(file)!r}, isolation_level=None)\nc.execute('PRAGMA journal_mode = WAL')\n"
        "c.execute('CREATE TABLE IF NOT EXISTS late (x)')\nc.execute('INSERT INTO late VALUES (1)')\n"
    )


def test_the_wal_of_a_dead_writer_is_read_and_stays_as_it_is(file: Path) -> None:
    leave_full_wal(file)
    wal = Path(f"{file}-wal")
    before = file.read_bytes(), wal.read_bytes()
    assert before[1]
    engine = create_engine(f"sqlite:///{file}")
    with guarded(10), engine.connect() as connection:
        assert Reader(connection).rows("SELECT x FROM late") == [(1,)]
    engine.dispose()
    assert (file.read_bytes(), wal.read_bytes()) == before


# Servers.


DRIVERS = {"mariadb": ("mysql+pymysql",), "postgresql": ("postgresql+psycopg", "postgresql+asyncpg")}


@pytest.mark.parametrize(
    ("name", "driver"),
    [(name, driver) for name, drivers in DRIVERS.items() for driver in drivers]
    + [("postgresql", "postgresql+psycopg_async")],
)
def test_the_server_refuses_what_slips_through(
    request: pytest.FixtureRequest, name: str, driver: str
) -> None:
    server: Server = request.getfixturevalue(name)
    database = server.create_database()
    server.run("CREATE TABLE t (id int)", database=database)
    dialect = "postgresql+psycopg" if driver.endswith("_async") else driver
    url = server.url(database, driver=dialect)

    def write() -> None:
        from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg

        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        if driver.endswith("_async"):
            from sqlalchemy.ext.asyncio import create_async_engine

            engine = create_async_engine(url, isolation_level="AUTOCOMMIT").sync_engine
            assert isinstance(engine.dialect, PGDialectAsync_psycopg)
        with guarded(10) as guard, engine.connect() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            connection.execute(text("INSERT INTO t VALUES (:n)"), [{"n": 2}, {"n": 3}])
            assert [write.kind for write in guard.refused] == ["INSERT INTO"] * 2
            cursor = connection.connection.cursor()
            with pytest.raises(Exception, match=r"(?i)read.only"):
                cursor.execute("INSERT INTO t VALUES (4)")
        engine.dispose()

    write() if name == "mariadb" or driver == "postgresql+psycopg" else in_greenlet(write)
    assert server.run("SELECT count(*) FROM t", database=database) == [(0,)]


def test_a_read_waits_two_seconds_for_a_lock_and_no_longer(server: Server) -> None:
    database = server.create_database()
    server.run("CREATE TABLE t (id int)", database=database)
    blocker = create_engine(server.url(database))
    with blocker.connect() as holder:
        holder.execute(
            text(
                "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"
                if server.name == "postgresql"
                else "LOCK TABLES t WRITE"
            )
        )
        engine = create_engine(server.url(database))
        started = time.monotonic()
        with guarded(10), engine.connect() as connection:
            reader = Reader(connection)
            with pytest.raises(DBAPIError):
                reader.rows("SELECT * FROM t")
            assert time.monotonic() - started < 8
            assert reader.rows("SELECT 1") == [(1,)]
        engine.dispose()
        holder.rollback()
    blocker.dispose()


def test_reads_keep_the_search_path_and_role_of_env_pys_transaction(postgresql: Server) -> None:
    database = postgresql.create_database()
    user = postgresql.create_user()
    postgresql.run(
        "CREATE SCHEMA app",
        "CREATE TABLE app.here (id int)",
        f"GRANT USAGE ON SCHEMA app TO {user}",
        f"GRANT SELECT ON app.here TO {user}",
        database=database,
    )
    engine = create_engine(postgresql.url(database))
    with guarded(10), engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path TO app"))
        connection.execute(text(f"SET LOCAL ROLE {user}"))
        reader = Reader(connection)
        for _ in range(3):
            assert reader.rows("SELECT current_schema(), current_user, count(*) FROM here") == [
                ("app", user, 0)
            ]
    engine.dispose()


def test_nothing_is_set_for_the_session_on_postgresql(postgresql: Server) -> None:
    """A session that a pooler hands on must be as it was."""
    database = postgresql.create_database()
    engine = create_engine(postgresql.url(database))
    asked = "SELECT name, setting FROM pg_settings WHERE source = 'session' AND name NOT IN ('transaction_read_only')"
    with guarded(10), engine.connect() as connection:
        Reader(connection).rows("SELECT 1")
        dbapi = connection.connection.dbapi_connection
        assert dbapi is not None
        cursor = dbapi.cursor()
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
        cursor.execute("SHOW default_transaction_read_only")
        assert cursor.fetchone() == ("off",)
        cursor.execute(asked)
        assert cursor.fetchall() == []
    engine.dispose()


def test_a_failed_transaction_of_env_pys_does_not_stop_the_reading(postgresql: Server) -> None:
    engine = create_engine(postgresql.url(postgresql.create_database()))
    with guarded(10), engine.connect() as connection:
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT 1/0"))
        assert Reader(connection).rows("SELECT 1") == [(1,)]
    engine.dispose()


WRITER = {
    "mariadb": "CREATE FUNCTION wr() RETURNS INT BEGIN INSERT INTO t VALUES (1); RETURN 1; END",
    "postgresql": "CREATE FUNCTION wr() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1); SELECT 1'",
}


def _creator_of_own_class(url: str) -> Callable[[], Any]:
    """What an application with a connection class of its own hands to ``create_engine``."""
    parts = make_url(url)
    if parts.get_backend_name() == "postgresql":
        import psycopg

        class OwnPsycopg(psycopg.Connection[Any]):
            pass

        return lambda: OwnPsycopg.connect(
            parts.set(drivername="postgresql").render_as_string(hide_password=False)
        )
    import pymysql.connections

    class OwnPyMySQL(pymysql.connections.Connection):
        pass

    options: dict[str, Any] = parts.translate_connect_args(username="user")

    return lambda: OwnPyMySQL(**options)


def _rows(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM t")).scalar_one()
    engine.dispose()
    return int(count)


@pytest.fixture(params=["mariadb", "postgresql"])
def with_writer(request: pytest.FixtureRequest) -> str:
    """A database with a function that writes: no text of the statement that calls it says so."""
    server: Server = request.getfixturevalue(request.param)
    url = server.url(server.create_database())
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id int)")
        connection.exec_driver_sql(WRITER[request.param])
    engine.dispose()
    return url


def test_a_connection_class_of_the_applications_own_is_guarded(with_writer: str) -> None:
    engine = create_engine(with_writer, creator=_creator_of_own_class(with_writer))
    with guarded(10), engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT wr()"))
    engine.dispose()

    assert _rows(with_writer) == 0


@pytest.mark.parametrize("options", [{"postgresql_readonly": False}, {"isolation_level": "AUTOCOMMIT"}])
def test_an_option_of_the_engine_does_not_take_the_guard_off(
    postgresql: Server, options: dict[str, Any]
) -> None:
    url = postgresql.url(postgresql.create_database())
    plain = create_engine(url)
    with plain.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id int)")
        connection.exec_driver_sql(WRITER["postgresql"])
    engine = plain.execution_options(**options)
    with guarded(10), engine.connect() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text("SELECT wr()"))
    plain.dispose()

    assert _rows(url) == 0


def test_a_driver_that_cannot_say_read_only_is_guarded_transaction_by_transaction(postgresql: Server) -> None:
    url = make_url(postgresql.url(postgresql.create_database()))
    plain = create_engine(url)
    with plain.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id int)")
        connection.exec_driver_sql(WRITER["postgresql"])
    plain.dispose()
    engine = create_engine(url.set(drivername="postgresql+pg8000"))
    with guarded(10), engine.connect() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text("SELECT wr()"))
    engine.dispose()

    assert _rows(url.render_as_string(hide_password=False)) == 0


def test_a_shared_connection_to_a_server_stays_open(postgresql: Server) -> None:
    """A StaticPool hands out the one connection that the application is using."""
    engine = create_engine(postgresql.url(postgresql.create_database()), poolclass=StaticPool)
    with engine.connect() as application:
        application.execute(text("CREATE TABLE t (id int)"))
        application.commit()
        with guarded(10), engine.connect():
            pass
        assert application.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
    engine.dispose()
