"""The doctor never writes: real projects whose env.py writes, on every engine, before compared with after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.project import Project, Run
from tests.servers import Server, writes

Build = Callable[..., Project]

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
    healthy(run)
    assert "was not sent" in project.doctor(json=False).stdout


@pytest.mark.parametrize("name", [*WRITES_BEFORE_CONFIGURE, *RAW_WRITES])
def test_a_sqlite_file_stays_byte_for_byte_whatever_env_py_writes(tmp_path: Path, name: str) -> None:
    project = Project.create(tmp_path / "project", at="head")
    body = {**WRITES_BEFORE_CONFIGURE, **RAW_WRITES}[name]
    project.write_env(top="import sqlalchemy as sa", before_configure=body)
    before = everything(project)
    healthy(project.doctor())
    assert everything(project) == before


@pytest.mark.parametrize("name", RAW_WRITES)
def test_what_a_raw_cursor_writes_the_server_refuses(server: Server, tmp_path: Path, name: str) -> None:
    url = server.url(server.create_database())
    project = Project.create(tmp_path / "project", url=url, at="head")
    project.write_env(top="import sqlalchemy as sa", before_configure=RAW_WRITES[name])
    before = project.dump()
    healthy(project.doctor())
    assert project.dump() == before


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
    run = healthy(project.doctor())
    assert project.dump() == before
    assert run.json["databases"][0]["record"]["rows"] == ["ccc3"]
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
