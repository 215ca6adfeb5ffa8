"""The env.py helper: stock commands, run for real on small projects whose env.py is two lines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine, inspect, make_url, text
from sqlalchemy.orm import DeclarativeBase, registry

from alembic_ext import env
from alembic_ext.errors import AlembicExtError
from alembic_ext.settings import Settings

STOCK = "import sys; del sys.path[0]; from alembic.config import main; main(prog='alembic')"
"""The stock executable: unlike ``python -m alembic`` it does not add the working directory to ``sys.path``."""

INI = """[alembic]
script_location = %(here)s/migrations
prepend_sys_path =
path_separator = os
"""

LOGGING = """
[loggers]
keys = root,alembic
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[logger_alembic]
level = INFO
handlers =
qualname = alembic
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s from the ini: %(message)s
"""

MAKO = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
def upgrade():
    ${upgrades if upgrades else "pass"}
def downgrade():
    ${downgrades if downgrades else "pass"}
'''

MODELS = """from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False, server_default="-")
"""

ENV = "from alembic_ext.env import run_migrations\nrun_migrations({})\n"


def revision(own: str, down: str | None, upgrade: str = "pass", downgrade: str = "pass") -> str:
    return (
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = {own!r}\ndown_revision = {down!r}\nbranch_labels = None\ndepends_on = None\n"
        f"def upgrade():\n    {upgrade}\ndef downgrade():\n    {downgrade}\n"
    )


CREATE_ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), '
    'sa.Column("name", sa.String(50), nullable=False, server_default="-"))'
)
ADD_PRICE = 'op.add_column("item", sa.Column("price", sa.Integer))'


@dataclass
class Shop:
    """A project: alembic.ini, migrations/ with two revisions, models.py, and the helper in env.py."""

    root: Path

    @property
    def versions(self) -> Path:
        return self.root / "migrations" / "versions"

    def write(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def env(self, arguments: str = '"models:Base"') -> None:
        self.write("migrations/env.py", ENV.format(arguments))

    def url(self, url: str) -> None:
        self.write("config.yaml", f"database: {{url: {url!r}}}\n")

    def run(self, *command: str, code: int | None = 0, cwd: Path | None = None, **variables: str) -> Result:
        return self.python(STOCK, *command, code=code, cwd=cwd, **variables)

    def python(
        self, program: str, *arguments: str, code: int | None = 0, cwd: Path | None = None, **variables: str
    ) -> Result:
        done = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:alembic_ext", "-c", program, *arguments],
            cwd=cwd or self.root,
            env={**os.environ, "PYTHONPATH": _package_path(), "PYTHONIOENCODING": "utf-8", **variables},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        assert code is None or done.returncode == code, f"{arguments}: exit {done.returncode}\n{result.text}"
        return result


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return f"{self.out}\n{self.err}"


def _package_path() -> str:
    return str(Path(env.__file__).parent.parent)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "shop")
    shop.write("alembic.ini", INI)
    shop.write("models.py", MODELS)
    shop.write("migrations/script.py.mako", MAKO)
    shop.write("migrations/versions/a1_item.py", revision("a1", None, CREATE_ITEM, 'op.drop_table("item")'))
    shop.write(
        "migrations/versions/b2_price.py", revision("b2", "a1", ADD_PRICE, 'op.drop_column("item", "price")')
    )
    shop.env()
    shop.write("config.yaml", "database: shop.db\n")
    return shop


ADDRESSES = [
    "sqlite",
    "sqlite+aiosqlite",
    pytest.param("mysql+pymysql", marks=pytest.mark.needs("mariadb")),
    pytest.param("postgresql+psycopg", marks=pytest.mark.needs("postgresql")),
    pytest.param("postgresql+asyncpg", marks=pytest.mark.needs("postgresql")),
]


@pytest.fixture(params=ADDRESSES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A URL of an empty database, for each kind of driver."""
    name = request.param.partition("+")[0]
    if name == "sqlite":
        return f"{request.param}:///{tmp_path / 'address.db'}"
    server = request.getfixturevalue("mariadb" if name == "mysql" else name)
    return str(server.url(server.create_database(), driver=request.param))


def tables(url: str) -> set[str]:
    engine = create_engine(make_url(url).set(drivername=_synchronous(url)))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def rows(url: str, statement: str) -> list[Any]:
    engine = create_engine(make_url(url).set(drivername=_synchronous(url)))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]
    finally:
        engine.dispose()


def _synchronous(url: str) -> str:
    name = make_url(url).get_backend_name()
    return {"sqlite": "sqlite", "mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg"}[name]


# --- stock commands -------------------------------------------------------------------------------------------


def test_every_stock_command_works_on_every_driver(shop: Shop, address: str) -> None:
    shop.url(address)

    shop.run("upgrade", "a1")
    assert rows(address, "SELECT version_num FROM alembic_version") == [("a1",)]
    assert tables(address) == {"alembic_version", "item"}
    assert "a1" in shop.run("current").out
    assert "No new upgrade operations detected" not in shop.run("check", code=255).out
    shop.run("stamp", "b2")
    assert "No new upgrade operations detected" in shop.run("check").out
    shop.run("revision", "--autogenerate", "-m", "nothing to do", "--rev-id", "c3")
    assert "op." not in next(shop.versions.glob("c3_*.py")).read_text()
    shop.run("stamp", "a1")
    shop.run("upgrade", "head")
    assert rows(address, "SELECT price FROM item") == []
    shop.run("downgrade", "base")
    assert tables(address) == {"alembic_version"}


def test_the_second_upgrade_finds_what_the_first_one_committed(shop: Shop, address: str) -> None:
    """An env.py that begins a transaction by accident loses the whole upgrade, with exit code 0."""
    shop.url(address)

    shop.run("upgrade", "head")

    assert shop.run("upgrade", "head").code == 0
    assert rows(address, "SELECT version_num FROM alembic_version") == [("b2",)]


@pytest.mark.parametrize(
    "url",
    [
        "mysql+pymysql://u:p@no-such-host.invalid/shop",
        "postgresql+psycopg://u:p@no-such-host.invalid/shop",
        "postgresql+asyncpg://u:p@no-such-host.invalid/shop",
        "sqlite+aiosqlite:///no/such/folder/shop.db",
    ],
)
def test_offline_mode_prints_the_sql_and_opens_no_connection(shop: Shop, url: str) -> None:
    shop.url(url)
    insert = "op.bulk_insert(sa.table('item', sa.column('name', sa.String)), [{'name': '100% 商品'}])"
    shop.write("migrations/versions/c3_data.py", revision("c3", "b2", insert))

    result = shop.run("upgrade", "head", "--sql")

    assert "CREATE TABLE item" in result.out
    assert "INSERT INTO alembic_version" in result.out
    assert "'100% 商品'" in result.out
    assert not (shop.root / "no").exists()


def test_downgrade_and_stamp_work_offline_too(shop: Shop) -> None:
    shop.url("mysql+pymysql://u:p@no-such-host.invalid/shop")

    assert "DROP TABLE item" in shop.run("downgrade", "b2:base", "--sql").out
    assert "INSERT INTO alembic_version" in shop.run("stamp", "b2", "--sql").out


def test_several_heads_are_recorded_as_several_rows(shop: Shop, address: str) -> None:
    shop.url(address)
    shop.write("migrations/versions/c3_fork.py", revision("c3", "a1"))

    assert "Multiple head revisions" in shop.run("upgrade", "head", code=255).out
    shop.run("upgrade", "heads")

    assert sorted(rows(address, "SELECT version_num FROM alembic_version")) == [("b2",), ("c3",)]


def test_the_target_is_the_same_from_every_working_directory(shop: Shop, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    shop.run("-c", str(shop.root / "alembic.ini"), "upgrade", "head", cwd=elsewhere)

    assert "item" in tables(f"sqlite:///{shop.root / 'shop.db'}")
    assert list(elsewhere.iterdir()) == []


PASSWORD_FROM_ENVIRONMENT = """database:
  dialect: {dialect}
  driver: {driver}
  host: 127.0.0.1
  port: {port}
  user: {user}
  password: ${{SHOP_PASSWORD}}
  name: {name}
"""


@pytest.mark.parametrize(
    "driver",
    [
        pytest.param("mysql+pymysql", marks=pytest.mark.needs("mariadb")),
        pytest.param("postgresql+psycopg", marks=pytest.mark.needs("postgresql")),
        pytest.param("postgresql+asyncpg", marks=pytest.mark.needs("postgresql")),
    ],
)
def test_a_password_full_of_special_characters_works(
    shop: Shop, request: pytest.FixtureRequest, driver: str
) -> None:
    """A URL that went through a configparser would break at the first percent sign."""
    dialect, _, dbapi = driver.partition("+")
    server = request.getfixturevalue("mariadb" if dialect == "mysql" else dialect)
    password = "p%w@r:d/#é"
    name, user = server.create_database(), server.create_user(password=password)
    grant = (
        f"GRANT ALL ON {name}.* TO '{user}'@'%%'"
        if dialect == "mysql"
        else f"GRANT ALL ON SCHEMA public TO {user}"
    )
    server.run(grant, database=name)
    yaml = PASSWORD_FROM_ENVIRONMENT.format(
        dialect=dialect, driver=dbapi, port=server.port, user=user, name=name
    )
    shop.write("config.yaml", yaml)

    result = shop.run("upgrade", "head", SHOP_PASSWORD=password)

    assert rows(server.url(name), "SELECT version_num FROM alembic_version") == [("b2",)]
    assert password not in result.text


def test_a_revision_with_chinese_names_works_under_the_c_locale(shop: Shop) -> None:
    shop.write(
        "migrations/versions/c3_商品.py",
        revision("c3", "b2", 'op.create_table("商品", sa.Column("名", sa.Text))'),
    )

    shop.run("upgrade", "head", LC_ALL="C")

    assert "商品" in tables(f"sqlite:///{shop.root / 'shop.db'}")


# --- the folder of a SQLite file ------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite"])
@pytest.mark.parametrize(
    "command", [("upgrade", "head"), ("stamp", "head"), ("upgrade", "heads"), ("stamp", "a1")]
)
def test_commands_that_migrate_create_the_folder_of_the_sqlite_file(
    shop: Shop, command: tuple[str, ...], driver: str
) -> None:
    shop.url(f"{driver}:///data/deep/shop.db")

    shop.run(*command)

    assert (shop.root / "data" / "deep" / "shop.db").is_file()


@pytest.mark.parametrize("command", [("current",), ("check",), ("revision", "--autogenerate", "-m", "x")])
def test_commands_that_only_look_create_no_folder(shop: Shop, command: tuple[str, ...]) -> None:
    shop.url("sqlite:///data/shop.db")

    assert shop.run(*command, code=None).code != 0
    assert not (shop.root / "data").exists()


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite"])
def test_the_doctor_creates_no_folder(shop: Shop, driver: str) -> None:
    shop.url(f"{driver}:///data/shop.db")

    result = shop.python("from alembic_ext.cli import main; main()", "doctor", code=None)

    assert "AX106" in result.out
    assert not (shop.root / "data").exists()


def test_offline_mode_creates_no_folder(shop: Shop) -> None:
    shop.url("sqlite:///data/shop.db")

    shop.run("upgrade", "head", "--sql")

    assert not (shop.root / "data").exists()


def test_a_folder_that_cannot_be_created_is_said(shop: Shop) -> None:
    shop.write("data", "a file where a folder should be")
    shop.url("sqlite:///data/deep/shop.db")

    result = shop.run("upgrade", "head", code=255)

    assert "The folder of the SQLite database" in result.out
    assert "Traceback" not in result.text


# --- the doctor -----------------------------------------------------------------------------------------------


def test_a_healthy_project_with_the_helper_is_healthy_on_every_driver(shop: Shop, address: str) -> None:
    shop.url(address)
    shop.write("models.py", MODELS + '    price = Column("price", Integer)\n')
    shop.run("upgrade", "head")

    shop.python("from alembic_ext.cli import main; main()", "doctor", "--fail-on", "warning")


# --- options --------------------------------------------------------------------------------------------------


def test_version_table_is_honoured(shop: Shop, address: str) -> None:
    shop.url(address)
    shop.env('"models:Base", version_table="shop_version"')

    shop.run("upgrade", "head")

    assert tables(address) == {"shop_version", "item"}


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+asyncpg"])
def test_version_table_schema_is_honoured(shop: Shop, postgresql: Any, driver: str) -> None:
    name = postgresql.create_database()
    postgresql.run("CREATE SCHEMA meta", database=name)
    shop.url(postgresql.url(name, driver=driver))
    shop.env('"models:Base", version_table_schema="meta"')

    shop.run("upgrade", "head")

    assert rows(postgresql.url(name), "SELECT version_num FROM meta.alembic_version") == [("b2",)]


def test_include_object_keeps_foreign_tables_out_of_autogenerate(shop: Shop, address: str) -> None:
    shop.url(address)
    shop.write("models.py", MODELS + '    price = Column("price", Integer)\n')
    shop.run("upgrade", "head")
    other = create_engine(make_url(address).set(drivername=_synchronous(address)))
    with other.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    other.dispose()
    assert "theirs" in shop.run("check", code=255).out

    shop.env('"models:Base", include_object=lambda object, name, *rest: name != "theirs"')

    shop.run("check")


@pytest.mark.parametrize(
    ("arguments", "batch"), [('"models:Base"', True), ('"models:Base", render_as_batch=False', False)]
)
def test_batch_mode_is_rendered_for_sqlite_unless_told_otherwise(
    shop: Shop, arguments: str, batch: object
) -> None:
    shop.env(arguments)
    shop.run("upgrade", "head")

    shop.run("revision", "--autogenerate", "-m", "drops price", "--rev-id", "c3")

    assert ("batch_alter_table" in next(shop.versions.glob("c3_*.py")).read_text()) == batch


@pytest.mark.needs("postgresql")
def test_batch_mode_is_not_rendered_for_a_server(shop: Shop, postgresql: Any) -> None:
    shop.url(postgresql.url(postgresql.create_database()))
    shop.run("upgrade", "head")

    shop.run("revision", "--autogenerate", "-m", "drops price", "--rev-id", "c3")

    written = next(shop.versions.glob("c3_*.py")).read_text()
    assert "op.drop_column('item', 'price')" in written
    assert "batch_alter_table" not in written


@pytest.mark.parametrize(
    ("models", "option", "found"),
    [
        pytest.param(MODELS.replace("String(50)", "Integer"), "compare_type", "modify_type", id="type"),
        pytest.param(
            MODELS.replace('"-"', '"+"'), "compare_server_default", "modify_default", id="server-default"
        ),
    ],
)
def test_types_and_server_defaults_are_compared_unless_told_otherwise(
    shop: Shop, models: str, option: str, found: str
) -> None:
    shop.write("models.py", models)
    (shop.versions / "b2_price.py").unlink()
    shop.run("upgrade", "head")

    assert found in shop.run("check", code=255).out

    shop.env(f'"models:Base", {option}=False')
    assert "No new upgrade operations" in shop.run("check").out


CONVENTION = 'MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s_ours"})'
TWO_METADATA = f"""from sqlalchemy import Column, Integer, MetaData, Table
one = {CONVENTION}
two = {CONVENTION}
other = MetaData()
Table("a", one, Column("id", Integer, primary_key=True))
Table("b", two, Column("id", Integer, primary_key=True))
Table("c", other, Column("id", Integer, primary_key=True))
"""


@pytest.mark.parametrize(
    "arguments", ["'two_metadata:one'", "['two_metadata:one']", "['two_metadata:one', 'two_metadata:two']"]
)
def test_naming_conventions_are_kept_also_for_a_list(shop: Shop, arguments: str) -> None:
    """Alembic asks the target metadata itself, and a plain list has no answer."""
    shop.write("two_metadata.py", TWO_METADATA)
    shop.env(arguments)
    shop.write(
        "migrations/versions/b2_price.py",
        revision(
            "b2",
            "a1",
            "with op.batch_alter_table('item') as batch: batch.create_unique_constraint(None, ['name'])",
        ),
    )

    shop.run("upgrade", "head")

    assert "uq_item_name_ours" in str(
        rows(f"sqlite:///{shop.root / 'shop.db'}", "SELECT sql FROM sqlite_master")
    )


def test_a_list_of_metadata_is_compared_as_a_whole(shop: Shop) -> None:
    shop.write("two_metadata.py", TWO_METADATA)
    shop.env("['two_metadata:one', 'two_metadata:two', 'two_metadata:other', 'models:Base']")
    shop.run("upgrade", "head")

    shop.run("revision", "--autogenerate", "-m", "all of them", "--rev-id", "c3")

    written = next(shop.versions.glob("c3_*.py")).read_text()
    assert [name for name in ("'a'", "'b'", "'c'") if f"op.create_table({name}" in written] == [
        "'a'",
        "'b'",
        "'c'",
    ]
    assert "drop_table" not in written.partition("def downgrade")[0]


SHOW_POOL = """import pathlib
from alembic_ext.env import run_migrations
def note(ctx, step, heads, run_args):
    pool = ctx.connection.engine.pool
    size = getattr(pool, "size", lambda: None)()
    pathlib.Path(__file__).with_name("pool.txt").write_text(f"{type(pool).__name__} {size}")
run_migrations("models:Base", on_version_apply=note)
"""


@pytest.mark.parametrize(
    ("yaml", "pool"),
    [
        pytest.param("", "NullPool None", id="no-pool"),
        pytest.param(", pool: {pool_size: 3}", "QueuePool 3", id="pool"),
    ],
)
@pytest.mark.needs("mariadb")
def test_the_pool_is_the_one_of_the_yaml_else_none(shop: Shop, mariadb: Any, yaml: str, pool: str) -> None:
    url = make_url(mariadb.url(mariadb.create_database()))
    shop.write(
        "config.yaml",
        f"database:\n  type: mysql\n  mysql: {{host: {url.host}, port: {url.port}, username: {url.username}, "
        f"password: '{url.password}', database: {url.database}{yaml}}}\n",
    )
    shop.write("migrations/env.py", SHOW_POOL)

    shop.run("upgrade", "head")

    assert (shop.root / "migrations" / "pool.txt").read_text() == pool


@pytest.mark.needs("mariadb")
def test_connect_arguments_of_the_yaml_reach_the_driver(shop: Shop, mariadb: Any) -> None:
    url = mariadb.url(mariadb.create_database())
    remark = (
        "connect_args: {init_command: \"SET SESSION character_set_connection = latin1, @remark = 'seen'\"}"
    )
    shop.write("config.yaml", f"database:\n  url: {url}\n  {remark}\n")
    copy = 'op.execute("CREATE TABLE remark AS SELECT @remark AS said")'
    shop.write("migrations/versions/c3_remark.py", revision("c3", "b2", copy))

    shop.run("upgrade", "head")

    assert rows(url, "SELECT said FROM remark") == [("seen",)]


def test_the_setting_metadata_is_used_when_env_py_names_none(shop: Shop) -> None:
    shop.write("alembic.ini", INI + "\n[alembic_ext]\nmetadata =\n    models:Base\n")
    shop.env("")
    shop.run("upgrade", "a1")
    shop.run("stamp", "head")

    assert "No new upgrade operations" in shop.run("check").out


def test_without_any_metadata_everything_but_autogenerate_works(shop: Shop) -> None:
    shop.env("")

    shop.run("upgrade", "head")

    assert "does not provide a MetaData object" in shop.run("check", code=255).out


def test_the_option_target_metadata_beats_the_setting(shop: Shop) -> None:
    shop.write("alembic.ini", INI + "\n[alembic_ext]\nmetadata =\n    no_such_module:Base\n")
    shop.env("target_metadata=None")

    shop.run("upgrade", "head")


def test_an_env_py_of_its_own_gets_the_url(shop: Shop) -> None:
    shop.write(
        "migrations/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine\n"
        "from alembic_ext.env import database_url\n"
        "with create_engine(database_url()).connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n",
    )

    shop.run("upgrade", "head")

    assert "item" in tables(f"sqlite:///{shop.root / 'shop.db'}")


# --- a connection that a program hands over -------------------------------------------------------------------

API = """from alembic.config import Config
from alembic import command
from sqlalchemy import create_engine
config = Config("alembic.ini")
"""


@pytest.mark.needs("postgresql")
def test_a_connection_of_the_callers_is_used_and_its_transaction_left_to_the_caller(
    shop: Shop, postgresql: Any
) -> None:
    (shop.root / "config.yaml").unlink()
    url = postgresql.url(postgresql.create_database())

    result = shop.python(
        API + "import os\nengine = create_engine(os.environ['SHOP_URL'])\n"
        "for keep in (False, True):\n"
        "    with engine.connect() as connection:\n"
        "        transaction = connection.begin()\n"
        "        config.attributes['connection'] = connection\n"
        "        command.upgrade(config, 'head')\n"
        "        print(transaction.is_active, connection.closed)\n"
        "        transaction.commit() if keep else transaction.rollback()\n"
        "    with engine.connect() as connection:\n"
        "        print(connection.exec_driver_sql(\"SELECT to_regclass('item')\").scalar())\n",
        SHOP_URL=url,
    )

    assert result.out == "True False\nNone\nTrue False\nitem\n"


def test_an_engine_of_the_callers_is_used(shop: Shop) -> None:
    shop.python(
        API
        + "config.attributes['connection'] = create_engine('sqlite:///theirs.db')\ncommand.upgrade(config, 'head')\n"
    )

    assert tables(f"sqlite:///{shop.root / 'theirs.db'}") == {"alembic_version", "item"}


@pytest.mark.parametrize("handed", ["connection", "asynchronous"], ids=["its-synchronous-face", "as-it-is"])
def test_an_asynchronous_connection_of_the_callers_is_used(shop: Shop, handed: str) -> None:
    shop.python(
        API + "import asyncio\nfrom sqlalchemy.ext.asyncio import create_async_engine\n"
        "async def main():\n"
        "    engine = create_async_engine('sqlite+aiosqlite:///theirs.db')\n"
        "    async with engine.begin() as asynchronous:\n"
        "        def upgrade(connection):\n"
        f"            config.attributes['connection'] = {handed}\n"
        "            command.upgrade(config, 'head')\n"
        "        await asynchronous.run_sync(upgrade)\n"
        "    await engine.dispose()\n"
        "asyncio.run(main())\n"
    )

    assert tables(f"sqlite:///{shop.root / 'theirs.db'}") == {"alembic_version", "item"}


def test_something_else_than_a_connection_is_refused_in_one_sentence(shop: Shop) -> None:
    result = shop.python(
        API
        + "from alembic.util import CommandError\nconfig.attributes['connection'] = 'sqlite:///theirs.db'\n"
        "try:\n    command.upgrade(config, 'head')\nexcept CommandError as error:\n    print(error)\n"
    )

    assert result.out.startswith('config.attributes["connection"] is of the type str.\n')


def test_offline_mode_takes_the_dialect_of_the_callers_connection(shop: Shop) -> None:
    (shop.root / "config.yaml").unlink()

    result = shop.python(
        API + "engine = create_engine('postgresql+psycopg://u:p@no-such-host.invalid/shop')\n"
        "config.attributes['connection'] = engine\ncommand.upgrade(config, 'a1', sql=True)\n"
    )

    assert "SERIAL" in result.out


# --- event loops ----------------------------------------------------------------------------------------------


def test_an_asynchronous_driver_works_inside_a_running_event_loop(shop: Shop, address: str) -> None:
    shop.url(address)

    shop.python(
        API + "import asyncio\n"
        "async def main():\n"
        "    command.upgrade(config, 'head')\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )

    assert rows(address, "SELECT version_num FROM alembic_version") == [("b2",)]


LEAVING = """
import asyncio, contextvars
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

class Leave(BaseException):
    pass

seen = contextvars.ContextVar("seen", default="not visible")
config.attributes["seen"] = seen

def look():
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda *_: []) as environment:
        options = {}
        environment.configure = lambda **given: options.update(given, seen=seen.get())
        def run_migrations(**_):
            raise Leave
        environment.run_migrations = run_migrations
        environment.begin_transaction = __import__("contextlib").nullcontext
        try:
            script.run_env()
        except Leave:
            print("left", options["seen"], options["connection"].dialect.driver)

seen.set("visible")
"""


@pytest.mark.parametrize("loop", [False, True], ids=["without-a-loop", "inside-a-loop"])
@pytest.mark.parametrize("driver", ["pysqlite", "aiosqlite"])
def test_a_look_may_leave_by_an_exception_that_is_no_error(shop: Shop, driver: str, loop: object) -> None:
    """The doctor replaces three methods of the context, and leaves env.py as soon as it has seen the connection."""
    shop.url(f"sqlite+{driver}:///{shop.root / 'shop.db'}")
    call = "async def main():\n    look()\nasyncio.run(main())\n" if loop else "look()\n"

    result = shop.python(API + LEAVING + call)

    assert result.out == f"left visible {driver}\n"
    assert result.err == ""


# --- logging --------------------------------------------------------------------------------------------------


def test_a_command_line_logs_as_the_ini_says(shop: Shop) -> None:
    shop.write("alembic.ini", INI + LOGGING)

    assert "INFO from the ini: Running upgrade" in shop.run("upgrade", "head").err


def test_a_program_keeps_its_own_logging(shop: Shop) -> None:
    shop.write("alembic.ini", INI + LOGGING)

    result = shop.python(
        "import logging\nours = logging.getLogger('ours')\n" + API + "command.upgrade(config, 'head')\n"
        "print(logging.getLogger().handlers, ours.disabled)\n"
    )

    assert result.out == "[] False\n"
    assert "from the ini" not in result.err


def test_loggers_that_exist_are_not_disabled(shop: Shop) -> None:
    shop.write("alembic.ini", INI + LOGGING)
    shop.write("models.py", "import logging\nlogging.getLogger('models')\n" + MODELS)
    shop.write(
        "migrations/env.py",
        "import models, logging\n"
        + ENV.format("models.Base")
        + "print(logging.getLogger('models').disabled)",
    )

    assert "False" in shop.run("upgrade", "head", PYTHONPATH=f"{shop.root}{os.pathsep}{_package_path()}").out


@pytest.mark.parametrize(
    "missing",
    ["loggers", "handlers", "formatters", None],
    ids=["no-loggers", "no-handlers", "no-formatters", "none"],
)
def test_an_ini_without_logging_sections_is_enough(shop: Shop, missing: str | None) -> None:
    shop.write("alembic.ini", INI + (LOGGING.replace(f"[{missing}]", "[elsewhere]") if missing else ""))

    shop.run("upgrade", "head")


def test_broken_logging_sections_are_said_in_one_sentence(shop: Shop) -> None:
    shop.write("alembic.ini", INI + LOGGING.replace("class = StreamHandler", "class = NoSuchHandler"))

    result = shop.run("upgrade", "head", code=255)

    assert "The logging sections of" in result.out
    assert "Traceback" not in result.text


# --- what cannot work -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            '"nowhere:Base"',
            "The metadata 'nowhere:Base' cannot be imported: no module named 'nowhere'.",
            id="no-module",
        ),
        pytest.param(
            '"models:Bse"',
            "The metadata 'models:Bse' cannot be found: models has no 'Bse'.",
            id="no-attribute",
        ),
        pytest.param(
            '"needs_more:Base"',
            "cannot be imported: No module named 'more_needed' (needs_more.py, line 2).",
            id="import-error",
        ),
        pytest.param(
            '"models:Item.id"',
            "The metadata 'models:Item.id' is of the type InstrumentedAttribute",
            id="wrong-type",
        ),
        pytest.param("42", "The metadata given in env.py is of the type int", id="number"),
    ],
)
def test_metadata_that_cannot_be_had_is_one_sentence_and_not_a_traceback(
    shop: Shop, arguments: str, sentence: str
) -> None:
    shop.write("needs_more.py", "\nimport more_needed\n")
    shop.env(arguments)

    result = shop.run("upgrade", "head", code=255)

    assert sentence in result.out
    assert "Traceback" not in result.text
    assert not (shop.root / "shop.db").exists()


def test_the_folder_that_holds_a_missing_module_is_named(shop: Shop) -> None:
    shop.write("src/app/tables.py", MODELS)
    shop.env('"app.tables:Base"')

    result = shop.run("upgrade", "head", code=255)
    assert "The folder src holds 'app': add it to prepend_sys_path or PYTHONPATH." in result.out

    shop.write("alembic.ini", INI.replace("prepend_sys_path =", "prepend_sys_path = src"))
    shop.run("upgrade", "head")


def test_an_error_of_the_models_own_keeps_its_traceback(shop: Shop) -> None:
    shop.write("models.py", "1 / 0\n")

    result = shop.run("upgrade", "head", code=1)

    assert "ZeroDivisionError" in result.err
    assert "models.py" in result.err


@pytest.mark.parametrize(
    ("driver", "sentence"),
    [
        pytest.param("postgresql+pygresql_of_nobody", "postgresql", id="unknown-to-sqlalchemy"),
        pytest.param(
            "mssql+pyodbc",
            "The driver of mssql+pyodbc cannot be used: No module named 'pyodbc'",
            id="missing",
        ),
    ],
)
def test_a_driver_that_is_not_installed_is_one_sentence(shop: Shop, driver: str, sentence: str) -> None:
    shop.url(f"{driver}://u:geheim-p@localhost/shop")

    result = shop.run("upgrade", "head", code=255)

    assert sentence in result.out
    assert "geheim-p" not in result.text
    assert "Traceback" not in result.text


def test_options_that_the_pool_cannot_take_are_one_sentence(shop: Shop, tmp_path: Path) -> None:
    settings = SimpleNamespace(
        secrets=(),
        root=tmp_path,
        require_database=lambda: SimpleNamespace(
            url=make_url("sqlite://"),
            engine_options={"max_overflow": 1},
            source=SimpleNamespace(path=tmp_path / "config.yaml", key="database.sqlite"),
        ),
    )

    with pytest.raises(AlembicExtError) as caught:
        env._engine(settings, {})  # type: ignore[arg-type]

    assert caught.value.message.startswith(
        "SQLAlchemy refuses the options of the database: Invalid argument(s) 'max_ov"
    )
    assert caught.value.hint == "Mend them: config.yaml, database.sqlite."


def test_without_a_database_the_settings_say_what_is_missing(shop: Shop) -> None:
    (shop.root / "config.yaml").unlink()

    result = shop.run("upgrade", "head", code=255)

    assert "FAILED" in result.out
    assert "Traceback" not in result.text


@pytest.mark.parametrize("function", [env.run_migrations, env.database_url])
def test_outside_of_a_migration_environment_the_helper_says_where_it_belongs(
    function: Callable[[], Any],
) -> None:
    with pytest.raises(AlembicExtError, match="outside of a migration environment"):
        function()


# --- metadata, in every form ----------------------------------------------------------------------------------


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = set(sys.modules)
    (tmp_path / "stall" / "inner").mkdir(parents=True)
    (tmp_path / "stall" / "__init__.py").write_text("")
    (tmp_path / "stall" / "inner" / "__init__.py").write_text("")
    (tmp_path / "stall" / "inner" / "models.py").write_text(
        MODELS
        + "metadata = Base.metadata\nclass holder:\n    metadata = Base.metadata\nboth = [Base, holder]\n"
    )
    (tmp_path / "stall" / "bare.py").write_text(
        "from stall.inner.models import Base\nloop = 'stall.bare:loop'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    [
        "stall.inner.models:Base",
        "stall.inner.models.Base",
        "stall.inner.models:Base.metadata",
        "stall.inner.models.Base.metadata",
        "stall.inner.models:metadata",
        "stall.inner.models",
        "stall.inner.models:holder",
        "stall.inner.models:both",
        "stall.bare.Base",
    ],
)
def test_a_dotted_name_leads_to_the_metadata(modules: Path, name: str) -> None:
    found = env._target_metadata(name, Settings(root=modules))

    assert isinstance(found, MetaData)
    assert list(found.tables) == ["item"]


class Declared(DeclarativeBase):
    pass


METADATA = MetaData()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(METADATA, METADATA, id="metadata"),
        pytest.param(Declared, Declared.metadata, id="declarative-base"),
        pytest.param(registry(metadata=METADATA), METADATA, id="registry"),
        pytest.param(SimpleNamespace(metadata=METADATA), METADATA, id="flask-sqlalchemy"),
        pytest.param([METADATA], METADATA, id="list-of-one"),
        pytest.param((METADATA, [METADATA]), METADATA, id="twice-the-same"),
        pytest.param([METADATA, Declared], [METADATA, Declared.metadata], id="list"),
        pytest.param((), None, id="nothing"),
    ],
)
def test_metadata_is_taken_in_every_form(given: Any, expected: Any, tmp_path: Path) -> None:
    assert env._target_metadata(given, Settings(root=tmp_path)) == expected


def test_different_naming_conventions_are_not_mixed_up(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    one, two = MetaData(naming_convention={"pk": "pk_%(table_name)s"}), MetaData()
    like_two = env._target_metadata([two, MetaData()], settings)

    assert not hasattr(env._target_metadata([one, two], settings), "naming_convention")
    assert getattr(like_two, "naming_convention", None) == two.naming_convention


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "The metadata '' is not a dotted name."),
        ("stall/inner/models.py:Base", "The metadata 'stall/inner/models.py:Base' is not a dotted name."),
        ("stall.inner.models:", "The metadata 'stall.inner.models:' is not a dotted name."),
        (".inner.models:Base", "The metadata '.inner.models:Base' is not a dotted name."),
        (
            "stall.outer:Base",
            "The metadata 'stall.outer:Base' cannot be imported: no module named 'stall.outer'.",
        ),
        ("stall.outer.Base", "The metadata 'stall.outer.Base' cannot be found: stall has no 'outer'."),
        (
            "stall.inner",
            "The metadata 'stall.inner' is the module stall.inner, which has no attribute 'metadata', ",
        ),
        (
            "stall.inner.models:Base.meta",
            "The metadata 'stall.inner.models:Base.meta' cannot be found: Base has no 'meta'.",
        ),
        ("stall.inner.models:String", "The metadata 'stall.inner.models:String' is the class String, "),
        ("stall.bare:loop", "The metadata 'stall.bare:loop' is of the type str"),
    ],
)
def test_a_name_that_leads_nowhere_says_where_it_ends(modules: Path, name: str, sentence: str) -> None:
    with pytest.raises(AlembicExtError) as caught:
        env._target_metadata(name, Settings(root=modules))

    assert caught.value.message.startswith(sentence)


def test_a_name_misspelt_is_answered_with_those_that_would_do(modules: Path) -> None:
    with pytest.raises(AlembicExtError) as caught:
        env._target_metadata("stall.inner.models:Bse", Settings(root=modules))

    assert caught.value.hint == "stall.inner.models has: Base, holder, metadata"


def test_a_package_found_elsewhere_is_named_with_its_place(modules: Path) -> None:
    import stall  # type: ignore[import-not-found]

    with pytest.raises(AlembicExtError) as caught:
        env._target_metadata("stall.outer:Base", Settings(root=modules))

    assert stall.__name__ == "stall"
    assert caught.value.hint == "stall was found in stall."


def test_the_python_path_is_first_and_has_no_duplicates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    monkeypatch.setattr(sys, "path", ["/before", str(two), "/after"])

    env._extend_python_path([one, two])
    env._extend_python_path([one, two])

    assert sys.path == [str(one), str(two), "/before", "/after"]
