"""The look, inside a program of somebody's: it holds nothing, disturbs nobody, and puts everything back."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from sqlalchemy import Engine, StaticPool, create_engine, make_url, text
from sqlalchemy.pool import QueuePool

import alembic_ext
from alembic_ext import connections
from alembic_ext.report import DoctorReport
from alembic_ext.workspace import migrates_once
from tests import servers
from tests.project import Project
from tests.servers import Server
from tests.test_looking import clean, everything, template


def doctor(project: Project, **options: Any) -> DoctorReport:
    return alembic_ext.doctor(Config(str(project.ini)), **options)


def codes(report: DoctorReport) -> set[str]:
    return {finding.code for result in report.results for finding in result.findings}


def rows(report: DoctorReport) -> tuple[str | None, ...] | None:
    record = report.databases[0].record
    return record.rows if record else None


@contextmanager
def after_each_read(work: Callable[[str], None]) -> Iterator[None]:
    """Stop the doctor after each of its reads until somebody else, in another thread, has done some work."""

    failures: list[BaseException] = []

    def hook(statement: str) -> None:
        with ThreadPoolExecutor(1) as executor:
            failure = executor.submit(work, statement).exception()
            failures.extend([failure] if failure else [])

    connections.after_read.append(hook)
    try:
        yield
    finally:
        connections.after_read.remove(hook)
    assert failures == []


# It holds nothing.


@pytest.mark.parametrize("reads_first", [False, True])
def test_others_work_while_the_doctor_stands_still(
    server: Server, tmp_path: Path, *, reads_first: bool
) -> None:
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    if reads_first:  # env.py leaves transactions open, on its own connection and on another
        project.write_env(
            top="import sqlalchemy as sa",
            before_configure="""
                connection.execute(sa.text("SELECT * FROM t1")).all()
                other = sa.create_engine(connectable.url).connect()
                other.execute(sa.text("SELECT * FROM t1")).all()
                """,
        )
    concurrently = "CONCURRENTLY " if server.name == "postgresql" else ""
    wait = "SET lock_timeout = '3s'" if server.name == "postgresql" else "SET SESSION lock_wait_timeout = 3"
    paused: list[str] = []

    def work(statement: str) -> None:
        number = len(paused) + 1
        paused.append(statement)
        servers.run(
            url,
            wait,
            f"ALTER TABLE t1 ADD COLUMN c{number} INT",
            f"ALTER TABLE alembic_version ADD COLUMN c{number} INT",
            f"CREATE INDEX {concurrently}i{number} ON t1 (c{number})",
            f"INSERT INTO t1 (id) VALUES ({number})",
            "UPDATE alembic_version SET version_num = 'ccc3'",
        )

    with after_each_read(work):
        report = doctor(project)
    assert len(paused) >= 6
    assert rows(report) == ("ccc3",)
    assert codes(report) == ({"AX115"} if reads_first else set())


def test_others_write_a_sqlite_file_while_the_doctor_stands_still(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    paused: list[str] = []

    def work(statement: str) -> None:
        paused.append(statement)
        servers.run(
            project.url,
            "BEGIN EXCLUSIVE",
            f"INSERT INTO t1 (id) VALUES ({len(paused)})",
            f"ALTER TABLE t2 ADD COLUMN c{len(paused)} INT",
            "COMMIT",
        )

    with after_each_read(work):
        report = doctor(project)
    assert len(paused) >= 3
    assert codes(report) == set()


@pytest.mark.parametrize(
    "change", ["CREATE TABLE t9 (id INT)", "DROP TABLE t3", "UPDATE alembic_version SET version_num = 'bbb2'"]
)
def test_a_schema_that_changes_meanwhile_gives_no_verdict(database: str, tmp_path: Path, change: str) -> None:
    project = Project.create(tmp_path / "project", url=database, at="head")
    changed: list[str] = []

    def migrate(statement: str) -> None:
        names_were_read = (
            "sqlite_master" in statement or "pg_class" in statement or "schema.tables" in statement
        )
        if names_were_read and not changed:
            changed.append(statement)
            servers.run(project.url, change)

    with after_each_read(migrate):
        report = doctor(project)
    assert changed
    assert report.exit_code == 2
    assert codes(report) == set()
    assert any("the schema is changing now" in str(result.because) for result in report.results)
    assert "the schema is changing now" not in str(doctor(project).results)


# It disturbs nobody.


ENV_OF_AN_APPLICATION = """
from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
"""

ENV_WITH_ENGINE = """
from alembic import context

with context.config.attributes["engine"].connect() as connection:
    {before}
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_a_callers_transaction_is_not_disturbed(database: str, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=database, at="head")
    project.write_env(text=ENV_OF_AN_APPLICATION)
    engine = create_engine(database)
    config = Config(str(project.ini))
    with engine.connect() as connection:
        transaction = connection.begin()
        connection.execute(text("INSERT INTO t1 (id) VALUES (1)"))
        dbapi_connection = connection.connection.dbapi_connection
        config.attributes["connection"] = connection
        report = alembic_ext.doctor(config)
        assert connection.connection.dbapi_connection is dbapi_connection
        assert transaction.is_active
        connection.execute(text("INSERT INTO t1 (id) VALUES (2)"))
        assert connection.execute(text("SELECT count(*) FROM t1")).scalar() == 2
        assert project.sql("SELECT count(*) FROM t1") == [(0,)], "nothing of it was committed"
        transaction.commit()
    engine.dispose()
    assert rows(report) == ("ccc3",)
    assert codes(report) == set()
    assert project.sql("SELECT count(*) FROM t1") == [(2,)]


def test_a_callers_uncommitted_version_table_is_not_waited_for(postgresql: Server, tmp_path: Path) -> None:
    url = postgresql.url(postgresql.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_env(text=ENV_OF_AN_APPLICATION)
    engine = create_engine(url)
    config = Config(str(project.ini))
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE alembic_version ADD COLUMN note TEXT"))
        config.attributes["connection"] = connection
        assert alembic_ext.doctor(config).exit_code == 2
        connection.rollback()
        assert alembic_ext.doctor(config).exit_code == 0
    engine.dispose()


@pytest.mark.parametrize("ended", [True, False])
def test_a_callers_search_path_is_the_one_looked_at(
    postgresql: Server, tmp_path: Path, *, ended: bool
) -> None:
    database = postgresql.create_database()
    postgresql.run("CREATE SCHEMA app", database=database)
    url = postgresql.url(database)
    project = Project.create(tmp_path / "project", url=f"{url}?options=-csearch_path%3Dapp", at="head")
    project.write_env(text=ENV_OF_AN_APPLICATION)
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SET search_path TO app"))
        if ended:
            connection.commit()
        report = alembic_ext.doctor(Config(str(project.ini), attributes={"connection": connection}))
        assert connection.in_transaction() is not ended
        assert connection.scalar(text("SELECT current_schema()")) == "app"
    engine.dispose()
    assert rows(report) == ("ccc3",)
    assert codes(report) == set()


def test_a_database_in_memory_is_read_over_the_callers_connection(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('ccc3')"))
    for env, attributes in (
        (ENV_OF_AN_APPLICATION, {"connection": engine.connect()}),
        (ENV_WITH_ENGINE.format(before="pass"), {"engine": engine}),
    ):
        project.write_env(text=env)
        config = Config(str(project.ini), attributes=attributes)
        connection = engine.connect()
        connection.execute(text("INSERT INTO alembic_version VALUES ('uncommitted')"))
        report = alembic_ext.doctor(config)
        assert set(rows(report) or ()) == {"ccc3", "uncommitted"}
        assert any("memory" in note for note in report.notes)
        connection.rollback()
        connection.close()
        assert rows(alembic_ext.doctor(config)) == ("ccc3",)
    engine.dispose()


def test_the_application_writes_through_the_engine_that_env_py_used(database: str, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=database, at="head")
    insert = 'connection.exec_driver_sql("INSERT INTO t1 (id) VALUES (-1)"); connection.commit()'
    project.write_env(text=ENV_WITH_ENGINE.format(before=insert))
    engine = create_engine(database, poolclass=QueuePool, pool_size=3)
    held = [engine.connect() for _ in range(3)]
    for connection in held:
        connection.execute(text("SELECT 1"))
        connection.close()
    assert engine.pool.checkedin() == 3  # type: ignore[attr-defined]
    written = [0]

    def write(_statement: str = "") -> None:
        written[0] += 1
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO t1 (id) VALUES (:id)"), {"id": written[0]})

    with after_each_read(write):
        report = alembic_ext.doctor(Config(str(project.ini), attributes={"engine": engine}))
    during = written[0]
    for _ in range(5):
        write()
    assert during >= 3
    assert rows(report) == ("ccc3",)
    assert codes(report) == set()
    assert project.sql("SELECT count(*), min(id) FROM t1") == [(during + 5, 1)]
    engine.dispose()


def test_an_application_that_writes_all_the_time_is_not_disturbed(server: Server, tmp_path: Path) -> None:
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_env(text=ENV_WITH_ENGINE.format(before="pass"))
    shared = create_engine(url, pool_size=5)
    failures: list[BaseException] = []
    over = threading.Event()
    written = [0, 0]

    def application(number: int, engine: Engine) -> None:
        try:
            while not over.is_set():
                with engine.begin() as connection:
                    connection.execute(
                        text("INSERT INTO t2 (id) VALUES (:id)"), {"id": written[number] * 2 + number + 1}
                    )
                written[number] += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            failures.append(error)

    own = create_engine(url)
    threads = [
        threading.Thread(target=application, args=(number, engine))
        for number, engine in enumerate((shared, own))
    ]
    for thread in threads:
        thread.start()
    reports = [alembic_ext.doctor(Config(str(project.ini), attributes={"engine": shared})) for _ in range(10)]
    over.set()
    for thread in threads:
        thread.join()
    shared.dispose()
    own.dispose()
    assert failures == []
    assert all(written)
    assert {report.exit_code for report in reports} == {0}
    assert project.sql("SELECT count(*) FROM t2") == [(sum(written),)]


# It puts everything back.


def test_nothing_of_the_process_is_changed(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head", models=True)
    clean(project)
    log = tmp_path / "application.log"
    handler = logging.FileHandler(log, mode="w")
    logger = logging.getLogger("application")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    handler.set_name("of the application")

    def state() -> dict[str, object]:
        return {
            "path": list(sys.path),
            "bytecode": sys.dont_write_bytecode,
            "root": (logging.root.level, list(logging.root.handlers), logging.root.manager.disable),
            "loggers": {
                name: (one.level, list(one.handlers), one.disabled, one.propagate, list(one.filters))
                for name, one in logging.root.manager.loggerDict.items()
                if isinstance(one, logging.Logger)
            },
            "known handlers": logging.getHandlerByName("of the application")
            if hasattr(logging, "getHandlerByName")
            else None,
            "directory": Path.cwd(),
            "variables": dict(os.environ),
            "standard": (sys.stdout, sys.stderr, os.fstat(0), os.fstat(1), os.fstat(2)),
        }

    doctor(project)  # loggers and modules come into being
    files, before, descriptors = (
        everything(project),
        state(),
        {entry.name for entry in Path("/proc/self/fd").iterdir()},
    )
    report = doctor(project)
    assert state() == before
    assert {entry.name for entry in Path("/proc/self/fd").iterdir()} <= descriptors
    assert everything(project) == files
    assert codes(report) == set()
    logger.info("still there")
    handler.flush()
    assert log.read_text() == "still there\n"
    logger.removeHandler(handler)
    handler.close()


def test_alembics_loggers_speak_again_afterwards(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    project = Project.create(tmp_path / "project", at="head")
    heard: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    logger = logging.getLogger("alembic.runtime.migration")
    handler = Listening()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)

    def speak(_statement: str) -> None:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.disabled = False
        logger.info("the application's")

    try:
        with after_each_read(speak):
            connections.after_read.append(lambda _: logger.info("ours"))
            doctor(project)
            connections.after_read.pop()
        logger.info("afterwards")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert set(heard) == {"the application's", "afterwards"}


@pytest.mark.parametrize("driver", ["postgresql+asyncpg", "postgresql+psycopg", "sqlite+aiosqlite", "sqlite"])
def test_it_works_inside_a_running_event_loop(
    request: pytest.FixtureRequest, tmp_path: Path, driver: str
) -> None:
    url = f"sqlite:///{tmp_path / 'project/app.db'}"
    if "postgresql" in driver:
        server: Server = request.getfixturevalue("postgresql")
        url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    if driver != "sqlite":
        project.write_env(text=template("async"))
    project.write_ini(
        {"sqlalchemy.url": make_url(url).set(drivername=driver).render_as_string(hide_password=False)}
    )

    async def main() -> DoctorReport:
        return doctor(project)

    report = asyncio.run(main())
    assert rows(report) == ("ccc3",)
    assert codes(report) == set()


# env.py that is built in another way.


def test_env_py_in_a_savepoint_is_not_blamed(database: str, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=database, at="head")
    text = """
import sqlalchemy as sa
from alembic import context

with sa.create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    with connection.begin(), connection.begin_nested():
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
    project.write_env(text=text)
    report = doctor(project)
    assert (report.exit_code, codes(report), rows(report)) == (0, set(), ("ccc3",))


@pytest.mark.parametrize("in_code", [True, False])
def test_env_py_that_fails_for_want_of_its_write_gives_no_verdict_and_is_not_blamed(
    tmp_path: Path, *, in_code: bool
) -> None:
    project = Project.create(tmp_path / "project")
    project.write_env(options='version_table="versions"')
    project.alembic("upgrade", "head").expect()
    read = 'connection.exec_driver_sql("SELECT count(*) FROM t1").scalar()'
    fails = f"assert {read} == 1" if in_code else 'connection.exec_driver_sql("SELECT 1 FROM t9")'
    project.write_env(
        options='version_table="versions"',
        before_configure=f"""
            connection.exec_driver_sql("INSERT INTO t1 (id) VALUES (1)")
            {fails}
            """,
    )
    report = doctor(project)
    assert (report.exit_code, codes(report), report.databases[0].record) == (2, set(), None)
    assert any("INSERT" in note for note in report.notes)
    assert report.to_dict()["notes"] == list(report.notes)


@pytest.mark.parametrize("body", ["", "raise RuntimeError('boom')"])
def test_a_package_that_holds_the_environment_is_not_imported(tmp_path: Path, body: str) -> None:
    project = Project.create(tmp_path / "project", at="head")
    project.write("mypkg/__init__.py", f"open('imported', 'w').close()\n{body}\n")
    (project.root / "migrations").rename(project.root / "mypkg/migrations")
    project.write_ini({"script_location": "mypkg:migrations"})
    run = project.doctor().expect()
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"]
    assert not (project.root / "imported").exists()
    project.write_ini({"script_location": "no_such_package:migrations"})
    assert "'no_such_package'" in project.doctor(json=False).expect(2).stderr


def test_a_thread_of_env_pys_does_not_migrate(database: str, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=database, at="bbb2")
    project.write_env(
        text="""
import threading

import sqlalchemy as sa
from alembic import context


def run():
    with sa.create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(sa.text("INSERT INTO t1 (id) VALUES (7)"))
        connection.commit()


thread = threading.Thread(target=run)
thread.start()
thread.join()
"""
    )
    before = project.dump()
    run = project.doctor().expect()
    assert project.dump() == before
    assert run.codes == {"AX304"}
    assert run.stderr == ""
    assert any("thread of its own" in note for note in run.json["notes"])


def test_a_callers_connection_is_said_not_to_be_the_one_that_was_read(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    project.write_env(text=ENV_OF_AN_APPLICATION)
    engine = create_engine(project.url)
    with engine.connect() as connection:
        report = alembic_ext.doctor(Config(str(project.ini), attributes={"connection": connection}))
    engine.dispose()
    assert report.exit_code == 0
    assert any("uncommitted work" in note for note in report.notes)


# How often env.py migrates.


def test_only_the_multidb_template_migrates_more_than_once(tmp_path: Path) -> None:
    for name, once in {"generic": True, "async": True, "multidb": False, "pyproject": True}.items():
        file = tmp_path / f"{name}.py"
        file.write_text(template(name))
        assert migrates_once(file) is once, name


@pytest.mark.parametrize(
    "source",
    [
        "context.run_migrations()",
        "from alembic_ext.env import run_migrations\nrun_migrations(target_metadata=metadata)",
        "if context.is_offline_mode():\n    context.run_migrations()\nelse:\n    context.run_migrations()",
        "if context.is_offline_mode():\n    context.run_migrations()\ncontext.run_migrations()",
        "if not context.is_offline_mode():\n    context.run_migrations()\nelse:\n    context.run_migrations()",
        "def run(c):\n    context.run_migrations()\nif given:\n    run(given)\nelse:\n    run(engine)",
        "def do(c):\n    context.run_migrations()\nasync def run():\n    await c.run_sync(do)\nasyncio.run(run())",
        "for name in names:\n    load(name)\nwith engine.begin() as c:\n    context.run_migrations()",
    ],
)
def test_env_py_is_left_where_its_text_proves_one_call(tmp_path: Path, source: str) -> None:
    file = tmp_path / "env.py"
    file.write_text(source)
    assert migrates_once(file)


RUN = "def run(c):\n    context.run_migrations()\n"


@pytest.mark.parametrize(
    "source",
    [
        "not python",
        "context.run_migrations()\ncontext.run_migrations()",
        "for e in engines:\n    context.run_migrations()",
        "async def main():\n    async for c in engines:\n        await c.run_sync(context.run_migrations)\nmain()",
        RUN + "for e in engines:\n    run(e)",
        RUN + "run('a')\nrun('b')",
        RUN + "if not context.is_offline_mode():\n    for e in engines:\n        run(e)",
        RUN + "list(map(run, 'ab'))",
        RUN + "[run(e) for e in engines]",
        RUN + "threading.Thread(target=run).start()",
        RUN + "go = run\ngo(1)\ngo(2)",
        RUN + "def both():\n    run(1)\n    run(2)\nboth()",
        "@again\n" + RUN + "run(1)",
        "class All:\n    def run(self):\n        context.run_migrations()\nAll().run()",
        "def run(c):\n    context.run_migrations()\n    if c:\n        run(c[1:])\nrun('ab')",
        "from shared import migrate\nfor e in engines:\n    migrate(e)",
        "from alembic_ext.env import run_migrations\nfor e in engines:\n    run_migrations(engine=e)",
    ],
)
def test_env_py_runs_on_where_its_text_proves_nothing(tmp_path: Path, source: str) -> None:
    file = tmp_path / "env.py"
    file.write_text(source)
    assert not migrates_once(file)


@pytest.mark.parametrize(
    "calls",
    [
        'migrate("a")\nmigrate("b")',
        'if not context.is_offline_mode():\n    for name in "ab":\n        migrate(name)',
        'list(map(migrate, "ab"))',
        'from shared import migrate as imported\nfor name in "ab":\n    imported(name)',
    ],
)
def test_every_database_is_looked_at(tmp_path: Path, calls: str) -> None:
    project = Project.create(tmp_path / "project")
    migrate = """
import sqlalchemy as sa
from alembic import context

def migrate(name):
    with sa.create_engine(f"sqlite:///{name}.db").connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
    project.write("shared.py", migrate)
    project.write_env(text="from alembic import context\n" + calls if "shared" in calls else migrate + calls)
    project.alembic("upgrade", "head").expect()
    servers.run(f"sqlite:///{project.root / 'b.db'}", "UPDATE alembic_version SET version_num = 'gone'")
    run = project.doctor().expect(1)
    assert len(run.json["databases"]) == 2
    assert {(one["code"], one["database"]) for one in run.json["findings"]} >= {("AX301", "2")}
