"""The tests' own tools must be right before anything they say can be believed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import servers
from tests.project import Project, environment
from tests.servers import Server, dump, run, writes


def test_each_test_gets_an_empty_database(database: str) -> None:
    run(database, "CREATE TABLE t (id integer primary key)", "INSERT INTO t VALUES (1)")
    assert run(database, "SELECT id FROM t") == [(1,)]


def test_a_dump_shows_schema_and_rows_and_nothing_else_changes_it(database: str) -> None:
    run(database, "CREATE TABLE t (id integer primary key, name varchar(20))")
    empty = dump(database)
    run(database, "INSERT INTO t VALUES (1, '客户')")
    filled = dump(database)

    assert filled != empty
    assert "客户" in filled
    assert dump(database) == filled


def test_a_dump_of_a_missing_sqlite_file_creates_none(tmp_path: Path) -> None:
    assert dump(f"sqlite:///{tmp_path / 'gone.db'}") == ""
    assert not (tmp_path / "gone.db").exists()


def test_the_log_tells_reading_from_writing(server: Server) -> None:
    name, other = server.create_database(), server.create_database()
    url = server.url(name)
    run(url, "CREATE TABLE t (id integer primary key)")
    with server.statements(database=name) as sent:
        run(url, "SELECT 'one\ntwo' AS answer", "SELECT * FROM t WHERE id = 7")
        run(server.url(other), "CREATE TABLE elsewhere (id integer)")
    assert any("one\ntwo" in text for text in sent)
    assert any("id = 7" in text for text in sent)
    assert writes(sent) == []

    with server.statements(database=name) as sent:
        run(url, "INSERT INTO t VALUES (1)", "DROP TABLE t")
    assert writes(sent) == ["INSERT INTO t VALUES (1)", "DROP TABLE t"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM t FOR UPDATE",
        "SELECT nextval('s')",
        "with x as (delete from t returning 1) select 1 from x",
        "CALL p()",
    ],
)
def test_what_only_looks_like_reading_counts_as_writing(statement: str) -> None:
    assert writes([statement]) == [statement]


def test_a_reader_cannot_write(server: Server) -> None:
    name = server.create_database()
    run(server.url(name), "CREATE TABLE t (id integer primary key)")
    reader = server.create_reader(name)

    assert run(reader, "SELECT * FROM t") == []
    with pytest.raises(Exception, match="denied"):
        run(reader, "INSERT INTO t VALUES (1)")


def test_databases_of_a_test_are_dropped_while_somebody_is_connected(server: Server) -> None:
    from sqlalchemy import create_engine

    name = server.create_database()
    engine = create_engine(server.url(name))
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        server.drop([name], [])
        with pytest.raises(Exception, match=name):
            run(server.url(name), "SELECT 1")
        connection.invalidate()
    engine.dispose()


@pytest.mark.needs("mariadb")
@pytest.mark.parametrize("end", ["killed", "finished"])
def test_no_server_outlives_its_test_run(tmp_path: Path, end: str) -> None:
    """A second run beside this one, ended the polite way or killed outright."""
    program = (
        "import os, sys, time; from tests import servers\n"
        "folder = servers.new_run_folder()\n"
        "server = servers.obtain('mariadb', folder)\n"
        "print((server.folder / 'state.json').read_text(), folder, sep='\\n', flush=True)\n"
        "sys.stdin.read()\n"
        "servers.end_run(folder)\n"
    )
    checkout = Path(servers.__file__).parent.parent
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=checkout,
        env=environment({"TMPDIR": str(tmp_path)} if len(str(tmp_path)) < 40 else {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdin
    assert owner.stdout
    state, folder = json.loads(owner.stdout.readline()), Path(owner.stdout.readline().strip())
    os.kill(state["server"], 0)
    if end == "killed":
        owner.send_signal(signal.SIGKILL)
    owner.stdin.close()
    owner.wait(timeout=30)
    owner.stdout.close()
    deadline = time.monotonic() + 20
    while (
        _runs(state["server"]) or _runs(state["guard"]) or folder.exists()
    ) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert not _runs(state["server"])
    assert not _runs(state["guard"])
    assert not folder.exists()


def test_a_small_project_works_with_stock_alembic(project: Callable[..., Project], database: str) -> None:
    small = project(url=database, at="head", models=True)

    assert small.sql("SELECT version_num FROM alembic_version") == [("ccc3",)]
    assert small.alembic("check").expect().exit_code == 0
    small.alembic("downgrade", "base").expect()


def test_env_py_is_changed_where_asked(project: Callable[..., Project]) -> None:
    small = project(
        at="head",
        env={
            "options": 'version_table="mine"',
            "before_configure": 'print("before")',
            "after_run": 'print("after")',
        },
    )

    assert small.sql("SELECT version_num FROM mine") == [("ccc3",)]
    assert small.alembic("current").expect().stdout.split() == ["before", "ccc3", "(head)", "after"]


def test_a_revision_can_be_written_in_chinese(project: Callable[..., Project]) -> None:
    small = project(revisions=("aaa1",))
    small.revision(
        "bbb2", "aaa1", 'op.create_table("订单", sa.Column("编号", sa.Integer()))', message="新建订单表"
    )
    small.alembic("upgrade", "head").expect()

    assert "新建订单表" in small.alembic("history", env={"PYTHONUTF8": "1"}).expect().stdout
    assert "订单" in small.dump()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
