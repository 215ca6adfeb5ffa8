"""Projects in which nothing is wrong, however unusual."""

from __future__ import annotations

from sqlalchemy.engine import make_url

from tests.project import Project
from tests.scenarios.scenario import MARIADB, POSTGRESQL, Family, World

FAMILY = Family()
scenario = FAMILY.scenario


@scenario(exit_code=0)
def the_stock_env_py(world: World) -> Project:
    return world.project()


@scenario(exit_code=0)
def our_env_py(world: World) -> Project:
    return world.project(helper="")


@scenario(exit_code=0)
def our_env_py_and_a_configuration_file(world: World) -> Project:
    project = world.project(helper="", at=None)
    project.write_ini({"sqlalchemy.url": ""})
    project.write_config(f"database: {world.url!r}\nexpect: {{database: {_name(world)!r}}}\n")
    world.upgrade(project, "head")
    return project


def _name(world: World) -> str:
    return str(make_url(world.url).database).rpartition("/")[2]


@scenario(exit_code=0)
def a_named_configuration_file_and_an_env_py_that_agrees(world: World) -> Project:
    project = world.project()
    project.write_config(f"database: {world.url!r}\n", "conf/prod.yaml")
    world.environ["CONFIG_FILE"] = "conf/prod.yaml"
    return project


@scenario(exit_code=0)
def an_env_py_with_a_url_of_its_own(world: World) -> Project:
    project = world.project()
    project.write_ini({"sqlalchemy.url": ""})
    project.write_env(
        text=(
            "from alembic import context\nfrom sqlalchemy import create_engine\nfrom models import Base\n\n"
            f"with create_engine({world.url!r}).connect() as connection:\n"
            "    context.configure(connection=connection, target_metadata=Base.metadata)\n"
            "    with context.begin_transaction():\n        context.run_migrations()\n"
        )
    )
    return project


@scenario(exit_code=0)
def an_env_py_without_models(world: World) -> Project:
    return world.project(models=False)


@scenario(exit_code=0)
def an_env_py_that_connects_with_begin(world: World) -> Project:
    project = world.project()
    text = (project.root / "migrations" / "env.py").read_text("utf-8")
    assert "connectable.connect()" in text
    project.write("migrations/env.py", text.replace("connectable.connect()", "connectable.begin()"))
    return project


@scenario(exit_code=0)
def a_statement_before_configure_that_is_committed(world: World) -> Project:
    project = world.project()
    project.write_env(
        metadata="models:Base.metadata",
        before_configure='connection.exec_driver_sql("SELECT 1")\nconnection.commit()',
    )
    return project


_TABLE = 'op.create_table("{}", sa.Column("id", sa.Integer(), primary_key=True))'


@scenario(exit_code=0)
def branches_with_labels(world: World) -> Project:
    project = world.project(at=None)
    project.revision("bbb2", "aaa1", _TABLE.format("t2"), branch_labels="shop")
    project.revision("ddd4", "aaa1", branch_labels="reports")
    project.revision("eee5", "aaa1", branch_labels="billing")
    project.revision("fff6", "ddd4")
    world.upgrade(project, "heads")
    return project


@scenario(exit_code=0)
def heads_that_are_listed(world: World) -> Project:
    project = world.project(at=None, own={"heads": "\n  ccc3\n  ddd4"})
    project.revision("ddd4", "bbb2")
    world.upgrade(project, "heads")
    return project


@scenario(exit_code=0)
def several_bases(world: World) -> Project:
    project = world.project(at=None)
    project.revision("rrr1", None, branch_labels="reports")
    project.revision("rrr2", "rrr1")
    project.revision("aaa1", None, _TABLE.format("t1"), branch_labels="shop")
    world.upgrade(project, "heads")
    return project


@scenario(exit_code=0)
def a_branch_that_depends_on_another(world: World) -> Project:
    project = world.project(at=None)
    project.revision("rrr1", None, branch_labels="reports")
    project.revision("rrr2", "rrr1", depends_on="ccc3")
    world.upgrade(project, "heads")
    return project


@scenario(exit_code=0)
def a_dependency_in_the_middle_of_another_branch(world: World) -> Project:
    project = world.project(at=None)
    project.revision("aaa1", None, _TABLE.format("t1"), branch_labels="shop")
    project.revision("rrr1", None, branch_labels="reports", depends_on="bbb2")
    world.upgrade(project, "heads")
    return project


@scenario(exit_code=0)
def a_merge(world: World) -> Project:
    project = world.project(at=None)
    project.revision("ddd4", "bbb2")
    project.revision("eee5", ("ccc3", "ddd4"))
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0)
def a_renamed_version_table(world: World) -> Project:
    project = world.project(at=None)
    project.write_env(metadata="models:Base.metadata", options='version_table="shop_version"')
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0)
def a_renamed_version_table_beside_another_applications(world: World) -> Project:
    project = a_renamed_version_table(world)
    project.sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    project.sql("INSERT INTO alembic_version VALUES ('other')")
    return project


@scenario(exit_code=0, engines=POSTGRESQL)
def a_version_table_in_its_own_schema(world: World) -> Project:
    project = world.project(at=None)
    project.sql("CREATE SCHEMA meta")
    project.write_env(metadata="models:Base.metadata", options='version_table_schema="meta"')
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0, engines=MARIADB)
def a_version_table_in_another_database(world: World) -> Project:
    project = world.project(at=None)
    name = make_url(world.new_database()).database
    project.write_env(metadata="models:Base.metadata", options=f"version_table_schema={name!r}")
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0, engines=POSTGRESQL)
def a_search_path_set_by_env_py(world: World) -> Project:
    project = world.project(at=None)
    project.sql("CREATE SCHEMA app")
    project.write_env(
        metadata="models:Base.metadata",
        before_configure='connection.exec_driver_sql("SET search_path TO app")\nconnection.commit()',
    )
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0)
def everything_is_committed(world: World) -> Project:
    project = world.project()
    project.write(".gitignore", "__pycache__/\n*.db*\n")
    project.commit("the beginning")
    return project


@scenario(exit_code=0)
def chinese_names_and_messages(world: World) -> Project:
    project = world.project(at=None)
    project.revision("ddd4", "ccc3", "# 没有变化\npass", message="新建订单表", name="ddd4_新建订单表")
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0)
def revision_files_in_folders_by_year(world: World) -> Project:
    project = world.project(at=None, ini={"recursive_version_locations": "true"})
    project.revision("ddd4", "ccc3", folder="migrations/versions/2026")
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0)
def two_version_locations(world: World) -> Project:
    project = world.project(
        at=None, ini={"version_locations": "%(here)s/migrations/versions:%(here)s/billing/versions"}
    )
    project.revision("bil1", "ccc3", folder="billing/versions")
    world.upgrade(project, "head")
    return project


@scenario(exit_code=0)
def no_revision_yet(world: World) -> Project:
    project = world.project(revisions=(), at=None)
    project.write_models(0)
    if world.engine == "sqlite":
        project.sql("PRAGMA user_version = 0", "VACUUM")
    return project
