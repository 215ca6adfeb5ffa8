"""Which tables a history creates, and when its text does not tell."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alembic_ext.facts.created_tables import created_tables, may_name_a_schema, upgrade_is_empty
from tests.revisions import Environment


def created(tmp_path: Path, upgrade: str, above: str = "") -> tuple[set[str], bool]:
    environment = Environment(tmp_path / "migrations")
    path = environment.add("a", upgrade=dedent(upgrade).strip())
    path.write_text(dedent(above) + path.read_text(encoding="utf-8"), encoding="utf-8")
    found = created_tables(environment.files())
    return set(found.names), found.complete


@pytest.mark.parametrize(
    ("upgrade", "names"),
    [
        ("pass", set()),
        ("op.create_table('t', sa.Column('id', sa.Integer))", {"t"}),
        ("op.create_table(table_name='t', schema='s')", {"t"}),
        ("NAME = 't'\nop.create_table(NAME)", {"t"}),
        ("op.create_table('pre_' + 't')", {"pre_t"}),
        ("op.rename_table('old', 'new')", {"new"}),
        ("op.execute('CREATE TABLE IF NOT EXISTS `shop`.`t` (id int)')", {"t"}),
        ("op.execute(sa.text('create unlogged table \"T\" (id int)'))", {"T"}),
        ("op.execute('CREATE TABLE a (x int); CREATE TABLE b (x int)')", {"a", "b"}),
        ("op.execute('ALTER TABLE t RENAME TO u')", {"u"}),
        ("conn = op.get_bind()\nconn.execute(sa.text('CREATE TABLE t (id int)'))", {"t"}),
        ("statement = 'CREATE TABLE t (id int)'\nop.execute(statement)", {"t"}),
        ("op.execute('UPDATE t SET a = 1')\nop.execute('CREATE INDEX i ON t (a)')", set()),
        ("op.execute(f'UPDATE {x} SET a = 1')", set()),
        ("op.execute(sa.update(sa.table('t')).values(a=1))", set()),
        (
            "with op.batch_alter_table('t') as batch_op:\n    batch_op.add_column(sa.Column('a', sa.Text()))",
            set(),
        ),
        ("kind = sa.Enum('a', name='k')\nkind.create(op.get_bind(), checkfirst=True)", set()),
        ("sa.inspect(op.get_bind()).get_columns('t')\n[str(x) for x in range(3)]", set()),
    ],
)
def test_what_the_text_names_is_known_completely(tmp_path: Path, upgrade: str, names: set[str]) -> None:
    assert created(tmp_path, upgrade) == (names, True)


@pytest.mark.parametrize(
    "upgrade",
    [
        "op.create_table(make_name())",
        "op.create_table(Model.__tablename__)",
        "helper(op)",
        "module.helper(op)",
        "Base.metadata.create_all(op.get_bind())",
        "thing.create(op.get_bind())",
        "op.execute(statement)",
        "op.execute(f'{verb} TABLE t (id int)')",
        "op.execute('SELECT * INTO t FROM u')",
        "op.execute('CALL build_tables()')",
        "op.execute(open('schema.sql').read())\nop.execute(sql)",
        "op.execute(sa.schema.CreateTable(table))",
        "op.execute(open('schema.sql').read())",
        "op.execute(sa.text(open('schema.sql').read()))",
        "op.execute(Path(__file__).with_name('schema.sql').read_text())",
        "with open('schema.sql') as file:\n        text = file.read()\n    op.execute(text)",
        "op.create_table('t', schema=module.SCHEMA)",
        "op.create_special_table('t')",
        "exec(code)",
        "op.get_bind().run_callable(create)",
    ],
)
def test_what_may_create_unseen_tables_is_not_called_complete(tmp_path: Path, upgrade: str) -> None:
    above = "from pathlib import Path\nfrom app import Base, Model, code, create, helper, make_name, module, sql, statement, table, thing, verb\n"

    assert created(tmp_path, upgrade, above)[1] is False


def test_a_type_of_the_projects_own_creates_nothing(tmp_path: Path) -> None:
    upgrade = (
        "op.create_table('t', sa.Column('at', Timestamp()))\nop.add_column('t', sa.Column('x', Timestamp()))"
    )

    assert created(tmp_path, upgrade, "from app.types import Timestamp\n") == ({"t"}, True)


def test_downgrade_creates_nothing_and_helpers_of_the_file_do(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "migrations")
    path = environment.add("a", upgrade="_build()")
    text = path.read_text(encoding="utf-8")
    text = text.replace("    pass\n", "    op.create_table('old')\n    undo()\n")
    path.write_text(
        "from app import undo\n" + text + "\n\ndef _build():\n    op.create_table('t')\n", encoding="utf-8"
    )
    found = created_tables(environment.files())

    assert (set(found.names), found.complete) == ({"t"}, True)


def test_an_unreadable_file_may_create_anything(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "migrations")
    environment.write("a.py", "(")

    assert not created_tables(environment.files()).complete


@pytest.mark.parametrize(
    ("upgrade", "qualified"),
    [
        ("op.create_table('t', schema='app')", {("app", "t")}),
        ("op.create_table('t', sa.Column('id', sa.Integer), schema=None)", set()),
        ("op.rename_table('old', 't', schema='app')", {("app", "t")}),
        ("op.execute('CREATE TABLE IF NOT EXISTS \"app\".t (id int)')", {("app", "t")}),
        ("op.execute('CREATE TABLE t (id int)')", set()),
    ],
)
def test_the_schema_that_is_named_is_kept(
    tmp_path: Path, upgrade: str, qualified: set[tuple[str, str]]
) -> None:
    environment = Environment(tmp_path / "migrations")
    environment.add("a", upgrade=upgrade)
    files = environment.files()

    assert created_tables(files).qualified == qualified
    assert may_name_a_schema(files) == bool(qualified)


@pytest.mark.parametrize(
    "body",
    ["pass", '"""Nothing."""', "...", "# nothing\n    pass", "return", "return None", '"""d"""\n    pass'],
)
def test_an_upgrade_that_does_nothing(body: str) -> None:
    assert upgrade_is_empty(f"def upgrade():\n    {body}\n".encode())


@pytest.mark.parametrize("body", ["op.drop_table('x')", "if x:\n        pass", "helper()", "x = 1"])
def test_an_upgrade_that_does_something(body: str) -> None:
    assert not upgrade_is_empty(f"def upgrade():\n    {body}\n".encode())


def test_a_file_without_upgrade_is_not_an_empty_one() -> None:
    assert not upgrade_is_empty(b"revision = 'a'\ndown_revision = None\n")
