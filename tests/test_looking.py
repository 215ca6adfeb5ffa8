"""The doctor never writes: real projects whose env.py writes, on every engine, before compared with after."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import alembic
import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from tests import servers
from tests.project import Project, Run
from tests.servers import Server, writes
from tests.test_connections import killed_while_writing, leave_hot_journal

INSERT = 'sa.text("INSERT INTO t1 (id) VALUES (7)")'

WRITES_BEFORE_CONFIGURE = {
    "creates its tables": """
        extra = sa.MetaData()
        sa.Table("extra", extra, sa.Column("id", sa.Integer, primary_key=True))
        extra.create_all(connection)
        connection.commit()
        """,
    "inserts": f"connection.execute({INSERT})\nconnection.commit()",
    "inserts many": """
        connection.execute(sa.text("INSERT INTO t1 (id) VALUES (:id)"), [{"id": 7}, {"id": 8}])
        connection.commit()
        """,
    "inserts and wants the rows back": """
        t1 = sa.table("t1", sa.column("id", sa.Integer))
        connection.execute(sa.insert(t1).returning(t1.c.id), [{"id": 7}, {"id": 8}])
        connection.commit()
        """,
    "inserts in a comment's shadow": """
        connection.execute(sa.text("/* seed */ -- the first row\\n INSERT INTO t1 (id) VALUES (7)"))
        connection.commit()
        """,
    "inserts in autocommit mode": f"""
        connectable.connect().execution_options(isolation_level="AUTOCOMMIT").execute({INSERT})
        """,
    "inserts in a transaction of its own": f"""
        with connectable.begin() as other:
            other.execute({INSERT})
        """,
    "inserts through a second engine": f"""
        with sa.create_engine(connectable.url, isolation_level="AUTOCOMMIT").connect() as other:
            other.execute({INSERT})
        """,
    "deletes and truncates": """
        connection.execute(sa.text("DELETE FROM alembic_version"))
        connection.execute(sa.text("DROP TABLE t2"))
        connection.commit()
        """,
}

RAW_WRITES = {
    "a raw cursor": """
        raw = connectable.raw_connection()
        raw.cursor().execute("INSERT INTO t1 (id) VALUES (7)")
        raw.commit()
        """,
    "a raw cursor in autocommit mode": """
        raw = sa.create_engine(connectable.url, isolation_level="AUTOCOMMIT").raw_connection()
        raw.cursor().execute("INSERT INTO t1 (id) VALUES (7)")
        """,
    "a raw cursor of a connection in autocommit mode": """
        other = connectable.connect().execution_options(isolation_level="AUTOCOMMIT")
        other.connection.cursor().execute("INSERT INTO t1 (id) VALUES (7)")
        """,
}


def healthy(run: Run) -> Run:
    """Nothing was found, and env.py was not blamed for what we did not let it do."""
    run.expect()
    assert run.codes == set(), str(run)
    assert run.json["databases"][0]["record"]["exists"], str(run)
    return run


def without_verdict(run: Run) -> Run:
    """env.py did not get to configure(), because we look: nothing is claimed that only it could have said."""
    run.expect(2)
    assert run.codes == set(), str(run)
    assert run.json["databases"][0]["target"], str(run)
    assert run.json["databases"][0]["record"] is None, str(run)
    return run


def sent_to(server: Server | None, url: str) -> Any:
    """Collect what a server is told about the database of this address."""
    assert server is not None
    return server.statements(database=make_url(url).database)


@pytest.mark.parametrize("name", WRITES_BEFORE_CONFIGURE)
def test_what_env_py_writes_before_configure_is_not_sent(server: Server, tmp_path: Path, name: str) -> None:
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_env(top="import sqlalchemy as sa", before_configure=WRITES_BEFORE_CONFIGURE[name])
    before = project.dump()
    with sent_to(server, url) as sent:
        run = project.doctor("-v")
    assert writes(sent) == []
    assert project.dump() == before
    # without the rows that it wants back, env.py ends before it has said how it would migrate
    (without_verdict if "wants the rows back" in name else healthy)(run)
    assert "was not sent" in project.doctor(json=False).stdout


@pytest.mark.parametrize("name", [*WRITES_BEFORE_CONFIGURE, *RAW_WRITES])
def test_a_sqlite_file_stays_byte_for_byte_whatever_env_py_writes(tmp_path: Path, name: str) -> None:
    project = Project.create(tmp_path / "project", at="head")
    body = {**WRITES_BEFORE_CONFIGURE, **RAW_WRITES}[name]
    project.write_env(top="import sqlalchemy as sa", before_configure=body)
    before = everything(project)
    (without_verdict if name in RAW_WRITES else healthy)(project.doctor())
    assert everything(project) == before


@pytest.mark.parametrize("name", RAW_WRITES)
def test_what_a_raw_cursor_writes_the_server_refuses(server: Server, tmp_path: Path, name: str) -> None:
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_env(top="import sqlalchemy as sa", before_configure=RAW_WRITES[name])
    before = project.dump()
    without_verdict(project.doctor())
    assert project.dump() == before
    assert "a write was refused by the database" in " ".join(project.doctor(json=False).stdout.split())


def test_nothing_after_run_migrations_runs(database: str, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=database, at="head")
    project.write_env(
        top="import sqlalchemy as sa",
        after_run=f'connection.execute({INSERT})\nopen("trace", "w").close()',
    )
    before, files = project.dump(), project.files()
    healthy(project.doctor())
    assert project.dump() == before
    assert project.files().keys() == files.keys()


def test_a_schema_that_env_py_creates_is_not_created(server: Server, tmp_path: Path) -> None:
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_env(
        top="import sqlalchemy as sa",
        before_configure="""
            connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS made_by_env_py"))
            connection.commit()
            """,
    )
    with sent_to(server, url) as sent:
        healthy(project.doctor())
    assert writes(sent) == []
    schemas = {row[0] for row in project.sql("SELECT schema_name FROM information_schema.schemata")}
    assert "made_by_env_py" not in schemas


def test_env_py_that_fails_for_want_of_its_write_is_not_blamed(database: str, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=database, at="head")
    project.write_env(
        top="import sqlalchemy as sa",
        before_configure="""
            connection.execute(sa.text("CREATE TABLE settings (id INTEGER)"))
            connection.execute(sa.text("SELECT id FROM settings")).all()
            """,
    )
    before = project.dump()
    without_verdict(project.doctor())
    assert project.dump() == before
    assert "env.py, line" in project.doctor(json=False).stdout


def test_env_py_that_fails_for_want_of_its_write_after_configure_is_looked_at_with_its_options(
    database: str, tmp_path: Path
) -> None:
    project = Project.create(tmp_path / "project", url=database)
    project.write_env(options='version_table="versions"')
    project.alembic("upgrade", "head").expect()
    text = (project.root / "migrations/env.py").read_text()
    seeded = text.replace(
        "        with context.begin_transaction():\n            context.run_migrations()\n\n\nif",
        "        import sqlalchemy as sa\n"
        '        connection.execute(sa.text("CREATE TABLE settings (id INTEGER)"))\n'
        '        connection.execute(sa.text("SELECT id FROM settings")).all()\n'
        "        with context.begin_transaction():\n            context.run_migrations()\n\n\nif",
    )
    assert seeded != text
    project.write("migrations/env.py", seeded)
    run = healthy(project.doctor())
    assert run.json["databases"][0]["record"]["version_table"] == "versions"


def test_env_py_that_fails_for_another_reason_is_blamed_although_a_write_was_refused(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    project.write_env(
        top="import sqlalchemy as sa", before_configure=f"connection.execute({INSERT})\nimport not_there"
    )
    assert project.doctor().codes == {"AX111"}


@pytest.mark.parametrize(
    ("name", "take"),
    [
        ("mariadb", "SELECT GET_LOCK('migrations', 10)"),
        ("postgresql", "SELECT pg_advisory_lock(4711)"),
        ("postgresql", "SELECT pg_try_advisory_xact_lock(4711)"),
    ],
)
def test_an_advisory_lock_of_env_pys_is_not_taken(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, take: str
) -> None:
    server: Server = request.getfixturevalue(name)
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_env(
        top="import sqlalchemy as sa",
        before_configure=f"""
            if not connection.execute(sa.text("{take}")).scalar():
                raise SystemExit("somebody else migrates")
            connection.commit()
            """,
    )
    with sent_to(server, url) as sent:
        healthy(project.doctor())
    assert writes(sent) == []


def everything(project: Project) -> dict[str, bytes]:
    """Every file of the project with its content: bytecode too."""
    return {
        str(path.relative_to(project.root)): path.read_bytes()
        for path in sorted(project.root.rglob("*"))
        if path.is_file()
    }


# Who may look.


def test_a_reader_is_enough(server: Server, tmp_path: Path) -> None:
    database = server.create_database()
    project = Project.create(tmp_path / "project", url=server.url(database), at="head")
    reader = server.create_reader(database)
    project.write_ini({"sqlalchemy.url": reader})
    before = project.dump()
    with server.statements(user=make_url(reader).username) as sent:
        run = project.doctor().expect()
    assert run.codes == {"AX117"}
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"]
    assert writes(sent) == []
    assert sent
    assert project.dump() == before


def not_visible(run: Run) -> Run:
    """No verdict: nothing is claimed about what was not seen."""
    run.expect(2)
    assert run.codes <= {"AX117", "AX503"}, str(run)
    assert run.json["databases"][0]["record"] is None
    return run


def test_a_version_table_that_may_not_be_read_is_not_absent(server: Server, tmp_path: Path) -> None:
    database = server.create_database()
    project = Project.create(tmp_path / "project", url=server.url(database), at="head")
    user = server.create_user()
    if server.name == "postgresql":
        server.run(
            f"GRANT SELECT ON t1, t2, t3 TO {user}",
            f"GRANT USAGE ON SCHEMA public TO {user}",
            database=database,
        )
    else:
        for table in ("t1", "t2", "t3"):
            server.run(f"GRANT SELECT ON {database}.{table} TO '{user}'@'%%'")
    project.write_ini({"sqlalchemy.url": server.url(database, user=user)})
    run = not_visible(project.doctor())
    assert run.codes == {"AX117"}


def test_a_schema_that_may_not_be_used_is_not_empty(postgresql: Server, tmp_path: Path) -> None:
    database = postgresql.create_database()
    project = Project.create(tmp_path / "project", url=postgresql.url(database), at="head")
    user = postgresql.create_user()
    postgresql.run(
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}",
        database=database,
    )
    project.write_ini({"sqlalchemy.url": postgresql.url(database, user=user)})
    run = not_visible(project.doctor())
    assert run.codes == {"AX117"}
    project.write_env(options='version_table_schema="public"')
    assert not_visible(project.doctor()).codes == {"AX117"}


def test_tables_that_were_not_granted_are_not_absent(mariadb: Server, tmp_path: Path) -> None:
    """MariaDB lists only the tables that an account has a privilege on."""
    database = mariadb.create_database()
    project = Project.create(tmp_path / "project", url=mariadb.url(database), at="head")
    project.sql("DELETE FROM alembic_version")
    user = mariadb.create_user()
    mariadb.run(f"GRANT SELECT ON {database}.alembic_version TO '{user}'@'%%'")
    project.write_ini({"sqlalchemy.url": mariadb.url(database, user=user)})
    run = project.doctor().expect(2)
    assert not run.codes & {"AX302", "AX303"}, str(run)


# What others hold.


@contextmanager
def held(url: str, *statements: str) -> Iterator[None]:
    """Another session has run these statements and ends nothing meanwhile."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        yield
        connection.rollback()


def test_a_locked_version_table_is_not_absent(server: Server, tmp_path: Path) -> None:
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    lock = {"postgresql": "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"}
    with held(url, lock.get(server.name, "LOCK TABLES alembic_version WRITE")):
        not_visible(project.doctor())
    healthy(project.doctor())


def test_a_table_that_is_being_altered_is_not_absent(mariadb: Server, tmp_path: Path) -> None:
    """An exclusive ALTER holds its table's metadata lock to the end; here it waits for a reader before it."""
    url = mariadb.url(mariadb.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    alter = Thread(
        target=lambda: servers.run(url, "ALTER TABLE alembic_version ADD COLUMN note INT, ALGORITHM=COPY")
    )
    with held(url, "BEGIN", "SELECT * FROM alembic_version"):
        alter.start()
        waits = "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata%%'"
        until = time.monotonic() + 10
        while mariadb.run(waits) == [(0,)] and time.monotonic() < until:
            time.sleep(0.05)
        not_visible(project.doctor())
    alter.join()
    healthy(project.doctor())


def test_a_sqlite_file_that_is_locked_gives_no_verdict(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    writer = sqlite3.connect(project.root / "app.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    run = project.doctor().expect(2)
    assert not run.codes & {"AX106", "AX118", "AX302", "AX303", "AX111"}, str(run)
    writer.execute("ROLLBACK")
    writer.close()
    healthy(project.doctor())


# What SQLite leaves behind.


def test_a_sqlite_project_has_no_new_file(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head", models=True)
    clean(project)
    before = everything(project)
    healthy(project.doctor())
    assert everything(project) == before


def clean(project: Project) -> None:
    for folder in project.root.rglob("__pycache__"):
        shutil.rmtree(folder)


def test_the_wal_of_a_killed_writer_is_read_and_kept(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="bbb2")
    file = project.root / "app.db"
    killed_while_writing(
        f"c = sqlite3.connect({str(file)!r}, isolation_level=None)\nc.execute('PRAGMA journal_mode = WAL')\n"
        "c.execute('CREATE TABLE t3 (id INTEGER PRIMARY KEY)')\n"
        "c.execute(\"UPDATE alembic_version SET version_num = 'ccc3'\")\n"
    )
    clean(project)
    before = everything(project)
    run = healthy(project.doctor())
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"]
    after = everything(project)
    assert {name for name in after if name not in before} <= {"app.db-shm"}
    for name in ("app.db", "app.db-wal"):
        assert after[name] == before[name]


@pytest.mark.parametrize(
    "url", ["sqlite:///{file}", "sqlite:///file:{file}?uri=true", "sqlite+aiosqlite:///{file}"]
)
def test_a_hot_journal_is_reported_and_kept(tmp_path: Path, url: str) -> None:
    project = Project.create(tmp_path / "project", at="head")
    file = project.root / "app.db"
    leave_hot_journal(file)
    project.write_ini({"sqlalchemy.url": url.format(file=file)})
    if "aiosqlite" in url:
        project.write_env(text=template("async"))
    clean(project)
    before = everything(project)
    run = project.doctor().expect(2)
    assert run.codes == {"AX118"}
    assert everything(project) == before


@pytest.mark.parametrize(
    "url", ["sqlite:///{file}", "sqlite:///file:{file}?uri=true&mode=rwc", "sqlite+aiosqlite:///{file}"]
)
def test_a_missing_file_is_reported_and_not_created(tmp_path: Path, url: str) -> None:
    project = Project.create(tmp_path / "project", url=url.format(file=tmp_path / "project/no.db"))
    if "aiosqlite" in url:
        project.write_env(text=template("async"))
    before = everything(project)
    run = project.doctor().expect(2)
    assert run.codes == {"AX106"}
    assert everything(project) == before


def template(name: str) -> str:
    """env.py of a template of Alembic's."""
    return (Path(alembic.__file__).parent / "templates" / name / "env.py").read_text(encoding="utf-8")


# How env.py connects.


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("postgresql", "postgresql+asyncpg"),
        ("postgresql", "postgresql+psycopg"),
        ("sqlite", "sqlite+aiosqlite"),
    ],
)
def test_the_async_template_is_looked_at(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, driver: str
) -> None:
    url = f"sqlite:///{tmp_path / 'project/app.db'}"
    if name != "sqlite":
        server: Server = request.getfixturevalue(name)
        url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_ini(
        {"sqlalchemy.url": make_url(url).set(drivername=driver).render_as_string(hide_password=False)}
    )
    run_line = "        await connection.run_sync(do_run_migrations)\n"
    seed = f"        import sqlalchemy as sa\n        await connection.execute({INSERT})\n"
    text = template("async").replace(run_line, f"{seed}        await connection.commit()\n{run_line}")
    assert "INSERT" in text
    project.write_env(text=text)
    before = project.dump()
    run = healthy(project.doctor())
    assert run.stderr == ""
    assert project.dump() == before
    project.write_env(text=template("async").replace("run_async_migrations() -> None:", "broken() -> None:"))
    run = project.doctor()
    assert run.codes == {"AX111"}
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"], "the settings name the same database"


def test_several_databases_are_looked_at_and_none_is_written(server: Server, tmp_path: Path) -> None:
    urls = {name: server.url(server.create_database()) for name in ("one", "two")}
    project = Project.create(tmp_path / "project", url=urls["one"], at="head")
    second = Project.create(tmp_path / "second", url=urls["two"], at="bbb2")
    project.write_ini({"databases": "one, two"})
    with project.ini.open("a") as ini:
        for name, url in urls.items():
            ini.write(f"\n[{name}]\nsqlalchemy.url = {url.replace('%', '%%')}\n")
    seed = '        rec["connection"] = conn = engine.connect()\n'
    text = template("multidb")
    assert seed in text
    project.write_env(
        text=text.replace(
            seed,
            f"{seed}        import sqlalchemy as sa\n        conn.execute({INSERT})\n        conn.commit()\n",
        )
    )
    before = project.dump(), second.dump()
    with server.statements() as sent:
        run = project.doctor().expect()
    assert [one["name"] for one in run.json["databases"]] == ["one", "two"]
    assert [one["record"]["rows"] for one in run.json["databases"]] == [["ccc3"], ["bbb2"]]
    assert run.codes == {"AX304"}
    ours = [one for one in sent if "INSERT INTO t1" in one]
    assert ours == []
    assert (project.dump(), second.dump()) == before


SEARCH_PATHS = {
    "committed": 'connection.execute(sa.text("SET search_path TO app"))\nconnection.commit()',
    "role": 'connection.execute(sa.text("SET search_path TO app"))\n'
    'connection.execute(sa.text("SET ROLE {user}"))\nconnection.commit()',
    "translated": 'connection = connection.execution_options(schema_translate_map={{None: "app"}})',
}


def in_schema_app(postgresql: Server, tmp_path: Path) -> tuple[Project, str]:
    """A project whose tables, and version table, lie in the schema ``app``."""
    database = postgresql.create_database()
    user = postgresql.create_user()
    postgresql.run("CREATE SCHEMA app", f"GRANT USAGE, CREATE ON SCHEMA app TO {user}", database=database)
    url = postgresql.url(database)
    project = Project.create(tmp_path / "project", url=f"{url}?options=-csearch_path%3Dapp", at="head")
    for table in ("alembic_version", "t1", "t2", "t3"):
        postgresql.run(f"ALTER TABLE app.{table} OWNER TO {user}", database=database)
    project.write_ini({"sqlalchemy.url": url})
    return project, user


@pytest.mark.parametrize("name", SEARCH_PATHS)
def test_a_schema_chosen_by_env_py_is_the_one_looked_at(
    postgresql: Server, tmp_path: Path, name: str
) -> None:
    project, user = in_schema_app(postgresql, tmp_path)
    project.write_env(top="import sqlalchemy as sa", before_configure=SEARCH_PATHS[name].format(user=user))
    run = healthy(project.doctor())
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"]
    project.sql("DELETE FROM app.alembic_version")
    assert project.doctor().codes == {"AX302"}, "its tables are seen, too"


def test_a_schema_set_for_the_transaction_is_the_one_looked_at(postgresql: Server, tmp_path: Path) -> None:
    project, user = in_schema_app(postgresql, tmp_path)
    text = template("generic").replace("connectable.connect()", "connectable.begin()")
    project.write_env(
        text=text.replace(
            "        context.configure(\n            connection=connection",
            "        import sqlalchemy as sa\n"
            '        connection.execute(sa.text("SET LOCAL search_path TO app"))\n'
            f'        connection.execute(sa.text("SET LOCAL ROLE {user}"))\n'
            "        context.configure(\n            connection=connection",
        )
    )
    run = healthy(project.doctor())
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"]
    project.sql("DELETE FROM app.alembic_version")
    assert project.doctor().codes == {"AX302"}


def test_an_open_transaction_before_configure_is_reported(postgresql: Server, tmp_path: Path) -> None:
    project, _ = in_schema_app(postgresql, tmp_path)
    project.write_env(
        top="import sqlalchemy as sa",
        before_configure='connection.execute(sa.text("SET search_path TO app"))',
    )
    run = project.doctor().expect(1)
    assert run.codes == {"AX115"}
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"]


def test_an_attached_database_is_looked_into(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    other = sqlite3.connect(project.root / "other.db")
    other.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    other.execute("INSERT INTO alembic_version VALUES ('bbb2')")
    other.commit()
    other.close()
    project.sql("DROP TABLE alembic_version")
    project.write_env(
        top="import sqlalchemy as sa",
        before_configure=f"""
            connection.execute(sa.text("ATTACH DATABASE '{project.root / "other.db"}' AS other"))
            connection.commit()
            """,
        options='version_table_schema="other"',
    )
    clean(project)
    before = everything(project)
    run = project.doctor()
    assert run.json["databases"][0]["record"]["rows"] == ["bbb2"]
    assert everything(project) == before


def test_alembics_own_messages_are_not_shown(database: str, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=database, at="head")
    assert healthy(project.doctor()).stderr == ""
    assert "Context impl" in project.alembic("current").stderr
