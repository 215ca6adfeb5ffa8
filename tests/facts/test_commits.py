"""Where a migration commits its own connection, and where it only looks like it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alembic_ext.facts.commits import find_commits
from tests.revisions import Environment

IMPORTS = "from sqlalchemy import orm, text\nfrom sqlalchemy.orm import Session, sessionmaker\n"


def lines_found(tmp_path: Path, upgrade: str, rest: str = "") -> list[str]:
    """Source lines of what is found in a migration with this upgrade()."""
    environment = Environment(tmp_path / "migrations")
    path = environment.add("a", upgrade=dedent(upgrade).strip())
    path.write_text(IMPORTS + path.read_text(encoding="utf-8") + dedent(rest), encoding="utf-8")
    source = path.read_text(encoding="utf-8").splitlines()
    return [source[commit.line - 1].strip() for commit in find_commits(environment.files())]


@pytest.mark.parametrize(
    ("upgrade", "line"),
    [
        ("op.get_bind().commit()", "op.get_bind().commit()"),
        ("conn = op.get_bind()\nop.drop_table('x')\nconn.commit()", "conn.commit()"),
        ("conn: sa.Connection = op.get_bind()\nconn.commit()", "conn.commit()"),
        ("a = b = op.get_bind()\nc = b\nc.commit()", "c.commit()"),
        ("if (conn := op.get_bind()) is not None:\n    conn.commit()", "conn.commit()"),
        ("with op.get_bind() as conn:\n    conn.commit()", "conn.commit()"),
        ("op.get_context().connection.commit()", "op.get_context().connection.commit()"),
        ("ctx = op.get_context()\nctx.bind.commit()", "ctx.bind.commit()"),
        ("op.get_bind().get_transaction().commit()", "op.get_bind().get_transaction().commit()"),
        ("op.get_bind().execution_options(x=1).commit()", "op.get_bind().execution_options(x=1).commit()"),
        ("op.execute('COMMIT')", "op.execute('COMMIT')"),
        ("op.execute(text(' commit ; '))", "op.execute(text(' commit ; '))"),
        ("op.execute(sa.text('COMMIT AND CHAIN'))", "op.execute(sa.text('COMMIT AND CHAIN'))"),
        ("op.execute('UPDATE t SET a = 1; -- then\\nCOMMIT; SELECT 1')", None),
        ("op.get_bind().exec_driver_sql('COMMIT WORK')", "op.get_bind().exec_driver_sql('COMMIT WORK')"),
        ("s = Session(bind=op.get_bind())\ns.execute(text('COMMIT'))", "s.execute(text('COMMIT'))"),
        ("s = sessionmaker(bind=op.get_bind())()\ns.connection().commit()", "s.connection().commit()"),
    ],
)  # fmt: skip
def test_commits_are_found_with_their_line(tmp_path: Path, upgrade: str, line: str | None) -> None:
    (found,) = lines_found(tmp_path, upgrade)

    assert line is None or found == line


@pytest.mark.parametrize(
    "upgrade",
    [
        "Session(bind=op.get_bind()).commit()",
        "session = orm.Session(bind=op.get_bind())\nsession.commit()",
        "with Session(op.get_bind()) as session:\n    session.commit()",
        "make = sessionmaker(bind=op.get_bind())\nmake().commit()",
        "with op.get_context().autocommit_block():\n    op.execute('COMMIT')",
        "with op.get_context().autocommit_block():\n    op.execute('ALTER TYPE t ADD VALUE x')",
        "# op.get_bind().commit()",
        "x = 'op.get_bind().commit()'",
        "engine = sa.create_engine('sqlite://')\nwith engine.connect() as conn:\n    conn.commit()\n    conn.execute(text('COMMIT'))",
        "op.get_bind().begin_nested().commit()",
        "op.execute(\"UPDATE t SET state = 'COMMIT; x'\")",
        "op.execute('/* COMMIT; */ SELECT 1')",
        "op.execute('CREATE PROCEDURE p() BEGIN UPDATE t SET a = 1; COMMIT; END')",
        "op.execute('DO $$ BEGIN; COMMIT; END $$')",
        "op.execute('COMMENT ON TABLE t IS NULL')",
        "op.add_column('t', sa.Column('commit', sa.Text))",
        "repo.commit()",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_left_alone(tmp_path: Path, upgrade: str) -> None:
    assert lines_found(tmp_path, upgrade) == []


def test_names_belong_to_their_function(tmp_path: Path) -> None:
    """`conn` of one function is the migration's, that of another one is a connection of its own."""
    rest = """
    def other(engine):
        conn = engine.connect()
        conn.commit()
    """
    assert lines_found(tmp_path, "conn = op.get_bind()", rest) == []


def test_a_connection_handed_to_a_function_of_the_same_file(tmp_path: Path) -> None:
    rest = """
    def fill(name, conn):
        conn.commit()


    def fill_more(*, connection):
        fill("x", connection)
    """
    assert lines_found(tmp_path, "fill_more(connection=op.get_bind())", rest) == ["conn.commit()"]


def test_downgrades_count_and_other_files_are_not_parsed(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "migrations")
    environment.add("a")
    path = environment.add("b", "a")
    text = path.read_text(encoding="utf-8").replace("    pass\n", "    op.get_bind().commit()\n")
    path.write_text(text, encoding="utf-8")
    found = find_commits(environment.files())

    assert [(one.revision, one.code) for one in found] == [("b", "op.get_bind().commit()")] * 2
