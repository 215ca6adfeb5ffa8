"""Family AX1: the configuration, alembic.ini, env.py and the way to the database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.project import Project
from tests.scenarios.scenario import MARIADB, SERVERS, SQLITE, Family, World, kill_a_writer

FAMILY = Family()
scenario = FAMILY.scenario


def _yaml_url(world: World) -> str:
    return f"database: {world.url!r}\n"


def _helper(world: World, *, at: str | None = None) -> Project:
    """A project with our env.py and no URL in alembic.ini; the database is migrated when ``at`` says so."""
    project = world.project(helper="", at=at)
    project.write_ini({"sqlalchemy.url": ""})
    return project


# AX101 config-file-not-found


@scenario("AX101", exit_code=2)
def a_named_file_is_missing(world: World) -> Project:
    world.environ["CONFIG_FILE"] = "conf/prod.yaml"
    return world.project(helper="")


@scenario("AX101", exit_code=1)
def a_named_file_is_missing_and_env_py_goes_its_own_way(world: World) -> Project:
    world.environ["CONFIG_FILE"] = "conf/prod.yaml"
    return world.project()


@scenario("AX101", exit_code=2)
def a_file_named_with_x_is_missing(world: World) -> Project:
    world.options += ["-x", "config_file=conf/prod.yaml"]
    return world.project(helper="")


@scenario("AX101", exit_code=2)
def a_file_named_by_our_section_is_missing(world: World) -> Project:
    return world.project(helper="", own={"config_file": "conf/prod.yaml"}, at=None)


# AX102 config-file-invalid


@scenario("AX102", exit_code=2)
def a_file_is_not_yaml(world: World) -> Project:
    project = _helper(world, at="head")
    project.write_config("database: [1,\n  other: }\n")
    world.environ["CONFIG_FILE"] = "config.yaml"
    return project


@scenario("AX102", exit_code=2)
def a_file_has_a_key_twice(world: World) -> Project:
    project = _helper(world)
    project.write_config(_yaml_url(world) * 2)
    return project


@scenario("AX102", exit_code=1)
def a_named_file_is_not_utf_8_and_env_py_goes_its_own_way(world: World) -> Project:
    project = world.project()
    project.write("prod.yaml", "database: 数据.db\n".encode("gbk"))
    world.environ["CONFIG_FILE"] = "prod.yaml"
    return project


@scenario("AX102", exit_code=2, engines=SQLITE)
def a_file_names_a_dialect_that_does_not_exist(world: World) -> Project:
    project = _helper(world)
    project.write_config("database: mysql+oursql://app@127.0.0.1/shop\n")
    return project


@scenario("AX107", exit_code=2, engines=SQLITE)
def the_ini_names_a_dialect_by_its_old_name(world: World) -> Project:
    return world.project(at=None, url="postgres://app@127.0.0.1/shop")


# AX103 variable-not-set


@scenario("AX103", exit_code=2)
def a_variable_has_no_value(world: World) -> Project:
    project = _helper(world)
    project.write_config("database: {dialect: mysql, host: h, name: shop, password: '${SHOP_PASSWORD}'}\n")
    return project


@scenario("AX103", exit_code=1)
def a_named_file_has_a_variable_without_value_and_env_py_goes_its_own_way(world: World) -> Project:
    project = world.project()
    project.write_config("database: 'sqlite:///${SHOP_FOLDER}/shop.db'\n", "prod.yaml")
    world.environ["CONFIG_FILE"] = "prod.yaml"
    return project


# AX104 no-database-configured


@scenario("AX104", exit_code=2)
def nothing_names_a_database(world: World) -> Project:
    return _helper(world)


@scenario("AX104", exit_code=2)
def the_stock_env_py_finds_no_url(world: World) -> Project:
    project = world.project()
    text = project.ini.read_text("utf-8")
    project.write(
        "alembic.ini",
        "".join(line for line in text.splitlines(keepends=True) if "sqlalchemy.url" not in line),
    )
    return project


@scenario("AX104", exit_code=2)
def the_url_is_the_placeholder_of_the_template(world: World) -> Project:
    project = world.project()
    project.write_ini({"sqlalchemy.url": "driver://user:pass@localhost/dbname"})
    return project


@scenario("AX104", exit_code=2)
def the_named_file_has_no_database(world: World) -> Project:
    project = world.project(helper="")
    project.write_config("services: {db: {dsn: 'sqlite:///a.db'}}\n", "prod.yaml")
    world.environ["CONFIG_FILE"] = "prod.yaml"
    return project


@scenario("AX104", exit_code=1)
def the_named_file_has_no_database_and_env_py_goes_its_own_way(world: World) -> Project:
    project = world.project()
    project.write_config("log: {level: debug}\n", "prod.yaml")
    world.environ["CONFIG_FILE"] = "prod.yaml"
    return project


# AX105 wrong-database


@scenario("AX105", exit_code=1)
def env_py_ignores_the_named_file(world: World) -> Project:
    project = world.project()
    project.write_config(f"database: {world.new_database()!r}\n", "prod.yaml")
    world.environ["CONFIG_FILE"] = "prod.yaml"
    return project


@scenario("AX105", exit_code=1)
def env_py_ignores_the_file_of_our_section(world: World) -> Project:
    project = world.project(own={"config_file": "prod.yaml"}, at=None)
    world.upgrade(project, "head")
    project.write_config(f"database: {world.new_database()!r}\n", "prod.yaml")
    return project


@scenario("AX105", exit_code=1, evidence={"key": "expect", "differing": ["database"]})
def the_database_is_not_the_expected_one(world: World) -> Project:
    project = _helper(world, at="head")
    project.write_config(_yaml_url(world) + "expect: {database: shop_production}\n")
    return project


@scenario("AX105", exit_code=1, engines=SERVERS, evidence={"key": "expect", "differing": ["host", "port"]})
def the_server_is_not_the_expected_one(world: World) -> Project:
    project = _helper(world, at="head")
    project.write_config(_yaml_url(world) + "expect: {host: db1.example.org, port: 1}\n")
    return project


# AX106 sqlite-file-missing


@scenario("AX106", exit_code=2, engines=SQLITE)
def the_file_does_not_exist(world: World) -> Project:
    return world.project(at=None)


@scenario("AX106", exit_code=2, engines=SQLITE)
def the_file_does_not_exist_and_the_path_is_relative(world: World) -> Project:
    return world.project(at=None, url="sqlite:///shop.db")


@scenario("AX106", exit_code=2, engines=SQLITE)
def the_file_of_the_configuration_does_not_exist(world: World) -> Project:
    project = _helper(world)
    project.write_config("database: ./data/shop.db\n")
    return project


# AX107 driver-not-installed


@scenario("AX107", exit_code=2, engines=SQLITE, evidence={"package": "mysqlclient"})
def the_driver_is_not_installed(world: World) -> Project:
    return world.project(at=None, url="mysql://app@127.0.0.1/shop")


@scenario("AX107", exit_code=2, engines=SQLITE, evidence={"dialect": "postgres"})
def env_py_itself_names_a_dialect_that_does_not_exist(world: World) -> Project:
    project = world.project(at=None)
    project.write_ini({"sqlalchemy.url": ""})
    project.write_env(text=_own_url_env("postgres://app@127.0.0.1/shop"))
    return project


@scenario("AX107", exit_code=2, engines=SQLITE)
def the_driver_of_the_configuration_is_not_installed(world: World) -> Project:
    project = _helper(world)
    project.write_config("database: mysql+mysqldb://app@127.0.0.1/shop\n")
    return project


# AX108 database-unreachable


@scenario("AX108", exit_code=2, engines=SERVERS)
def nobody_listens(world: World) -> Project:
    return world.project(at=None, url=world.elsewhere(port=1))


@scenario("AX108", exit_code=2, engines=SERVERS)
def the_host_is_unknown(world: World) -> Project:
    return world.project(at=None, url=world.elsewhere(host="no-such-host.invalid"))


@scenario("AX108", exit_code=2, engines=SQLITE)
def the_file_is_no_database(world: World) -> Project:
    world.folder.joinpath("shop.txt").write_text("no database at all\n" * 100)
    return world.project(at=None, url=f"sqlite:///{world.folder / 'shop.txt'}")


@scenario("AX108", exit_code=2, engines=SQLITE)
def the_file_is_locked(world: World) -> Project:
    project = world.project()
    program = (
        "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(make_url(world.url).database)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "locked\n"
    world.ended.append(writer.communicate)
    return project


# AX109 access-denied


@scenario("AX109", exit_code=2, engines=SERVERS)
def the_password_is_wrong(world: World) -> Project:
    return world.project(at=None, url=world.elsewhere(password="wrong-password"))


@scenario("AX109", exit_code=2, engines=SERVERS)
def the_user_is_unknown(world: World) -> Project:
    return world.project(helper="", at=None, url=world.elsewhere(username="nobody_here"))


@scenario("AX109", exit_code=2, engines=MARIADB)
def the_account_may_not_enter_the_database(world: World) -> Project:
    assert world.server is not None
    return world.project(
        at=None, url=world.server.url(str(make_url(world.url).database), user=world.server.create_user())
    )


# AX110 database-missing


def _missing(world: World) -> str:
    """A database that does not exist, for an account that may know it."""
    assert world.server is not None
    return world.server.url("no_such_database")


@scenario("AX110", exit_code=2, engines=SERVERS)
def the_database_does_not_exist(world: World) -> Project:
    return world.project(at=None, url=_missing(world))


@scenario("AX110", exit_code=2, engines=SERVERS)
def the_database_of_the_configuration_does_not_exist(world: World) -> Project:
    project = _helper(world)
    project.write_config(f"database: {_missing(world)!r}\n")
    return project


# AX111 env-script-fails


@scenario("AX111", exit_code=1, evidence={"exception": "RuntimeError"})
def env_py_raises(world: World) -> Project:
    project = world.project()
    project.write_env(top='raise RuntimeError("not today")')
    return project


@scenario("AX111", exit_code=1, evidence={"missing_module": "shop_settings"})
def env_py_cannot_import_the_application(world: World) -> Project:
    project = world.project()
    project.write_env(top="import shop_settings")
    project.write("src/shop_settings.py", "")
    return project


@scenario("AX111", exit_code=1)
def env_py_ends_the_process(world: World) -> Project:
    project = world.project()
    project.write_env(top='raise SystemExit("SHOP_ENV is not set")')
    return project


@scenario("AX111", exit_code=1)
def env_py_has_a_syntax_error(world: World) -> Project:
    project = world.project()
    project.write_env(top="def :")
    return project


@scenario("AX111", exit_code=1)
def env_py_never_runs_the_migrations(world: World) -> Project:
    project = world.project()
    project.write_env(text="from alembic import context\n")
    return project


@scenario("AX111", exit_code=1)
def there_is_no_env_py(world: World) -> Project:
    project = world.project()
    (project.root / "migrations" / "env.py").unlink()
    return project


@scenario("AX111", exit_code=1)
def the_metadata_of_the_helper_does_not_exist(world: World) -> Project:
    project = world.project()
    project.write_helper_env('"models:Basis"')
    return project


@scenario("AX111", exit_code=2)
def env_py_raises_and_nothing_else_names_a_database(world: World) -> Project:
    project = world.project()
    project.write_env(top='raise RuntimeError("not today")', text=_own_url_env(world.url))
    project.write_ini({"sqlalchemy.url": ""})
    return project


def _own_url_env(url: str) -> str:
    return (
        "from alembic import context\nfrom sqlalchemy import create_engine\n\n"
        f"with create_engine({url!r}).connect() as connection:\n"
        f"    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )


# AX112 package-shadowed


@scenario("AX112", exit_code=1, evidence={"empty": True})
def the_environment_is_a_package_called_alembic(world: World) -> Project:
    project = world.project(environment="alembic")
    project.write("alembic/__init__.py", "")
    return project


@scenario("AX112", exit_code=1, evidence={"empty": False})
def a_package_called_alembic_with_something_in_it(world: World) -> Project:
    project = world.project()
    project.write("alembic/__init__.py", "from .versions import latest\n")
    return project


# AX113 ini-unreadable


@scenario("AX113", exit_code=1, engines=SQLITE, evidence={"reason": "no-logging-sections"})
def the_ini_has_no_logging_sections(world: World) -> Project:
    project = world.project()
    text = project.ini.read_text("utf-8")
    project.write("alembic.ini", text[: text.index("[loggers]")])
    return project


@scenario("AX113", exit_code=2, engines=SERVERS, evidence={"reason": "single-percent"})
def the_url_in_the_ini_has_a_single_percent(world: World) -> Project:
    project = world.project()
    project.write_ini({"sqlalchemy.url": world.elsewhere(password="100%real")})
    return project


@scenario("AX113", exit_code=1, engines=SQLITE, evidence={"reason": "bom"})
def the_ini_begins_with_a_byte_order_mark(world: World) -> Project:
    project = world.project(helper="")
    project.write("alembic.ini", b"\xef\xbb\xbf" + project.ini.read_bytes())
    return project


# AX114 models-not-loaded


@scenario("AX114", exit_code=1, evidence={"models": 0})
def no_model_is_imported(world: World) -> Project:
    project = world.project(models=False)
    project.write_models(0)
    project.write_helper_env('"models:Base"')
    return project


@scenario("AX114", exit_code=1, evidence={"models": 1, "missing": ["t2", "t3"]})
def most_models_are_not_imported(world: World) -> Project:
    project = world.project(models=False)
    project.write_models(1)
    project.write_env(metadata="models:Base.metadata")
    return project


# AX115 statement-before-configure


@scenario("AX115", exit_code=1)
def a_statement_opens_a_transaction_before_configure(world: World) -> Project:
    project = world.project()
    project.write_env(
        metadata="models:Base.metadata", before_configure='connection.exec_driver_sql("SELECT 1")'
    )
    return project


# AX116 unknown-configure-option


@scenario("AX116", exit_code=1, evidence={"option": "version_table_column_type"})
def an_option_does_not_exist(world: World) -> Project:
    project = world.project()
    project.write_env(metadata="models:Base.metadata", options="version_table_column_type=None")
    return project


@scenario("AX116", exit_code=1, evidence={"similar": "render_as_batch"})
def an_option_is_misspelt(world: World) -> Project:
    project = world.project()
    project.write_helper_env('"models:Base", render_as_bach=True')
    return project


# AX117 missing-privilege


@scenario("AX117", exit_code=0, engines=SERVERS)
def the_account_may_only_read(world: World) -> Project:
    project = world.project()
    assert world.server is not None
    reader = world.server.create_reader(str(make_url(world.url).database))
    project.write_ini({"sqlalchemy.url": reader.replace("%", "%%")})
    return project


# AX118 interrupted-writer


@scenario("AX118", exit_code=2, engines=SQLITE)
def a_writer_died(world: World) -> Project:
    project = world.project()
    kill_a_writer(Path(str(make_url(world.url).database)))
    return project
