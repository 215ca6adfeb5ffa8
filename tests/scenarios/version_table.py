"""Family AX3: the version table against the revision files."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import make_url

from tests.project import Project
from tests.scenarios.scenario import (
    CREATE_VERSION_TABLE,
    MARIADB,
    POSTGRESQL,
    SERVERS,
    SQLITE,
    Family,
    World,
)

FAMILY = Family()
scenario = FAMILY.scenario


def _committed(world: World) -> Project:
    """A healthy project at ccc3 whose every file is committed, and whose bytecode git ignores."""
    project = world.project()
    project.write(".gitignore", "__pycache__/\n*.db*\n")
    project.commit("the beginning")
    return project


def _new_version_table(project: Project, rows: Sequence[str | None], column: str = "VARCHAR(32)") -> None:
    """A version table without a primary key, as made by hand."""
    project.sql("DROP TABLE alembic_version", f"CREATE TABLE alembic_version (version_num {column})")
    for row in rows:
        value = "NULL" if row is None else f"'{row}'"
        project.sql(f"INSERT INTO alembic_version VALUES ({value})")


# AX301 revision-not-found


@scenario("AX301", exit_code=1, evidence={"case": "unknown", "commit": None})
def nothing_knows_the_row(world: World) -> Project:
    project = world.project()
    project.set_rows("9af31c04d2e1")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "unknown"})
def git_does_not_know_the_row_either(world: World) -> Project:
    project = _committed(world)
    project.set_rows("9af31c04d2e1")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "unknown"})
def an_unknown_row_lies_beside_ours(world: World) -> Project:
    project = world.project()
    project.set_rows("ccc3", "9af31c04d2e1")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "damaged-id"})
def the_row_cannot_be_an_id(world: World) -> Project:
    project = world.project()
    project.set_rows("9af3 1c04")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "deleted"})
def the_file_was_deleted_by_a_commit(world: World) -> Project:
    project = _committed(world)
    world.remove(project, "ccc3")
    project.commit("remove a migration")
    project.write_models(2)
    project.commit("and its model")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "deleted"})
def the_file_was_deleted_and_not_committed(world: World) -> Project:
    project = _committed(world)
    world.remove(project, "ccc3")
    return project


@scenario("AX301", "AX601", exit_code=1, evidence={"case": "deleted"})
def the_id_in_the_file_was_changed(world: World) -> Project:
    project = _committed(world)
    project.revision("ddd4", "ccc3")
    project.commit("add orders")
    project.set_rows("ddd4")
    path = next(project.versions.glob("ddd4*"))
    path.write_text(path.read_text(encoding="utf-8").replace("ddd4", "ffff"), encoding="utf-8")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "other-branch"})
def the_file_is_on_another_branch(world: World) -> Project:
    project = _on_a_branch(world)
    project.git("switch", "--quiet", "main")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "other-branch"})
def the_branch_of_the_file_was_deleted(world: World) -> Project:
    project = _on_a_branch(world)
    project.git("switch", "--quiet", "main")
    project.git("branch", "--quiet", "-D", "coupons")
    return project


def _on_a_branch(world: World) -> Project:
    project = _committed(world)
    project.git("switch", "--quiet", "--create", "coupons")
    project.revision("ddd4", "ccc3")
    project.commit("add coupons")
    project.set_rows("ddd4")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "database-ahead"})
def an_older_state_of_the_same_line_is_checked_out(world: World) -> Project:
    project = _committed(world)
    before = project.commit("nothing")
    project.revision("ddd4", "ccc3")
    project.commit("add orders")
    project.set_rows("ddd4")
    project.git("checkout", "--quiet", before)
    return project


@scenario("AX301", exit_code=1, evidence={"case": "database-ahead"})
def the_upstream_of_the_branch_has_the_file(world: World) -> Project:
    project = _committed(world)
    origin = world.folder / "origin.git"
    project.git("clone", "--quiet", "--bare", ".", str(origin))
    project.git("remote", "add", "origin", str(origin))
    project.revision("ddd4", "ccc3")
    project.commit("add orders")
    project.git("push", "--quiet", "--set-upstream", "origin", "main")
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    project.set_rows("ddd4")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "never-committed"})
def the_file_is_in_the_stash(world: World) -> Project:
    project = _committed(world)
    project.revision("ddd4", "ccc3")
    project.git("add", "--all")
    project.git("stash", "--quiet")
    project.set_rows("ddd4")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "never-committed"})
def the_file_was_only_staged(world: World) -> Project:
    project = _committed(world)
    project.revision("ddd4", "ccc3")
    project.git("add", "--all")
    project.git("reset", "--quiet", "--hard")
    project.set_rows("ddd4")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "wrong-location"})
def the_file_lies_outside_the_version_locations(world: World) -> Project:
    project = _committed(world)
    project.revision("ddd4", "ccc3", folder="backup")
    project.commit("keep it safe")
    project.set_rows("ddd4")
    return project


@scenario("AX301", "AX212", exit_code=1, evidence={"case": "wrong-location"})
def the_file_lies_in_a_subfolder_that_is_not_searched(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "ccc3", folder="migrations/versions/2026")
    project.set_rows("ddd4")
    return project


def _other_application(project: Project) -> None:
    project.write("billing/env.py", "from alembic import context\n\ncontext.run_migrations()\n")
    project.revision("b111", None, folder="billing/versions")


@scenario("AX301", exit_code=1, evidence={"case": "other-application"})
def another_application_owns_the_row(world: World) -> Project:
    project = world.project(at=None)
    _other_application(project)
    project.sql(CREATE_VERSION_TABLE.format("alembic_version"), "INSERT INTO alembic_version VALUES ('b111')")
    return project


@scenario("AX301", exit_code=1, evidence={"case": "other-application"})
def another_application_of_the_repository_owns_the_row(world: World) -> Project:
    project = _committed(world)
    _other_application(project)
    project.commit("bill our customers")
    project.set_rows("b111")
    return project


# AX302 unstamped


@scenario("AX302", exit_code=1, evidence={"exists": False, "tables": ["t1", "t2", "t3"]})
def the_tables_were_made_by_create_all(world: World) -> Project:
    project = world.project(at=None)
    project.sql(*(f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY)" for n in (1, 2, 3)))
    return project


@scenario("AX302", exit_code=1, evidence={"exists": True})
def the_row_was_deleted(world: World) -> Project:
    project = world.project()
    project.set_rows()
    return project


@scenario("AX302", exit_code=1, evidence={"exists": False, "tables": ["t1"]})
def the_version_table_was_dropped_at_the_first_revision(world: World) -> Project:
    project = world.project(at="aaa1")
    project.sql("DROP TABLE alembic_version")
    return project


# AX303 empty-database


def _with_file(world: World) -> Project:
    """The database is there, with nothing in it."""
    project = world.project(at=None)
    if world.engine == "sqlite":
        project.sql("PRAGMA user_version = 0", "VACUUM")
    return project


@scenario("AX303", exit_code=0, evidence={"other_tables": 0})
def the_database_is_empty(world: World) -> Project:
    return _with_file(world)


@scenario("AX303", exit_code=0, evidence={"other_tables": 2})
def the_database_holds_only_tables_of_others(world: World) -> Project:
    project = _with_file(world)
    project.sql("CREATE TABLE wp_posts (id INTEGER)", "CREATE TABLE wp_users (id INTEGER)")
    return project


@scenario("AX303", exit_code=0, evidence={"other_tables": 0})
def the_version_table_is_empty_and_nothing_else_is_there(world: World) -> Project:
    project = _with_file(world)
    project.sql(CREATE_VERSION_TABLE.format("alembic_version"))
    return project


@scenario("AX303", exit_code=1, engines=SQLITE)
def the_database_is_empty_and_the_head_is_required(world: World) -> Project:
    world.arguments.append("--require-head")
    return _with_file(world)


# AX304 pending-revisions


@scenario("AX304", exit_code=0, evidence={"pending": ["bbb2", "ccc3"], "recorded": ["aaa1"]})
def two_revisions_are_pending(world: World) -> Project:
    return world.project(at="aaa1")


@scenario("AX304", exit_code=0, evidence={"pending": ["ddd4"]})
def a_branch_is_pending(world: World) -> Project:
    project = world.project(own={"heads": "ccc3"})
    project.revision("ddd4", None, branch_labels="reports")
    return project


@scenario("AX304", exit_code=1, engines=SQLITE)
def two_revisions_are_pending_and_the_head_is_required(world: World) -> Project:
    world.arguments.append("--require-head")
    return world.project(at="aaa1")


# AX305 overlapping-rows


@scenario("AX305", exit_code=1, evidence={"rows": ["aaa1", "ccc3"]})
def an_ancestor_lies_beside_the_row(world: World) -> Project:
    project = world.project()
    project.set_rows("aaa1", "ccc3")
    return project


@scenario("AX305", exit_code=1)
def a_row_is_there_twice(world: World) -> Project:
    project = world.project()
    _new_version_table(project, ("ccc3", "ccc3"))
    return project


@scenario("AX305", exit_code=1)
def a_dependency_lies_beside_the_row_that_needs_it(world: World) -> Project:
    project = world.project(at=None)
    project.revision("ddd4", None, branch_labels="reports", depends_on="ccc3")
    world.upgrade(project, "heads")
    project.set_rows("ccc3", "ddd4")
    return project


# AX306 malformed-row


@scenario("AX306", exit_code=1, evidence={"wrong": "blank", "row": ""})
def a_row_is_blank(world: World) -> Project:
    project = world.project()
    project.set_rows("ccc3", "")
    return project


@scenario("AX306", exit_code=1, evidence={"wrong": "null", "row": None})
def a_row_is_null(world: World) -> Project:
    project = world.project()
    _new_version_table(project, ("ccc3", None))
    return project


@scenario("AX306", exit_code=1, evidence={"wrong": "blanks-around", "fits": ["ccc3"]})
def the_row_has_a_blank_at_its_end(world: World) -> Project:
    project = world.project()
    project.set_rows("ccc3 ")
    return project


@scenario("AX306", exit_code=1, evidence={"wrong": "case", "fits": ["ccc3"]})
def the_row_is_in_upper_case(world: World) -> Project:
    project = world.project()
    project.set_rows("CCC3")
    return project


@scenario("AX306", exit_code=1, evidence={"wrong": "partial", "fits": ["ccc3cccc3333"]})
def the_row_is_the_beginning_of_an_id(world: World) -> Project:
    project = world.project(revisions=("aaa1aaaa1111", "bbb2bbbb2222", "ccc3cccc3333"))
    project.set_rows("ccc3cccc")
    return project


@scenario("AX306", exit_code=1, evidence={"wrong": "partial", "fits": ["ccc3cccc3333", "ccc3cccc4444"]})
def the_row_is_the_beginning_of_two_ids(world: World) -> Project:
    project = world.project(revisions=("aaa1aaaa1111", "ccc3cccc3333", "ccc3cccc4444"))
    project.set_rows("ccc3cccc")
    return project


LONG = "ccc3_add_the_delivery_address_to_orders"


@scenario("AX306", exit_code=1, engines=MARIADB, evidence={"wrong": "truncated", "fits": [LONG]})
def the_server_truncated_the_row_without_a_word(world: World) -> Project:
    project = world.project(revisions=("aaa1", "bbb2", LONG), at="bbb2")
    project.sql("CREATE TABLE t3 (id INTEGER PRIMARY KEY)")
    project.set_rows(LONG[:32])
    return project


# AX307 shared-version-table


@scenario("AX307", exit_code=1, evidence={"ours": ["ccc3"], "theirs": ["b111"]})
def two_applications_share_the_version_table(world: World) -> Project:
    project = world.project()
    _other_application(project)
    project.set_rows("ccc3", "b111")
    return project


# AX308 version-table-elsewhere


@scenario("AX308", exit_code=1, evidence={"used": "shop_version", "exists": False, "rows": ["ccc3"]})
def version_table_was_renamed_in_env_py(world: World) -> Project:
    project = world.project()
    project.write_env(metadata="models:Base.metadata", options='version_table="shop_version"')
    return project


@scenario("AX308", exit_code=1, evidence={"used": "shop_version", "exists": True, "rows": ["ccc3"]})
def the_renamed_version_table_is_there_and_empty(world: World) -> Project:
    project = world.project()
    project.write_env(metadata="models:Base.metadata", options='version_table="shop_version"')
    project.sql(CREATE_VERSION_TABLE.format("shop_version"))
    return project


@scenario("AX308", exit_code=1, engines=POSTGRESQL, evidence={"used": "alembic_version", "rows": ["ccc3"]})
def the_search_path_was_changed(world: World) -> Project:
    project = world.project()
    project.sql("CREATE SCHEMA app")
    url = make_url(world.url).update_query_dict({"options": "-csearch_path=app"})
    project.write_ini({"sqlalchemy.url": url.render_as_string(hide_password=False).replace("%", "%%")})
    return project


@scenario("AX308", exit_code=1, engines=POSTGRESQL, evidence={"used": "meta.alembic_version"})
def version_table_schema_names_a_schema_without_it(world: World) -> Project:
    project = world.project()
    project.sql("CREATE SCHEMA meta")
    project.write_env(metadata="models:Base.metadata", options='version_table_schema="meta"')
    return project


@scenario("AX308", exit_code=1, engines=MARIADB)
def version_table_schema_names_a_database_without_it(world: World) -> Project:
    project = world.project()
    name = make_url(world.new_database()).database
    project.write_env(metadata="models:Base.metadata", options=f"version_table_schema={name!r}")
    return project


@scenario("AX308", exit_code=1, engines=SERVERS, evidence={"used": "alembic_version", "rows": ["ccc3"]})
def a_dump_brought_another_case(world: World) -> Project:
    project = world.project()
    project.sql(
        f"ALTER TABLE alembic_version RENAME TO {world.quoted('Alembic_Version')}",
    )
    return project


# AX309 version-column-too-narrow


@scenario("AX309", exit_code=0, engines=SERVERS, evidence={"width": 8, "ids": ["bbb2_add_orders"]})
def the_column_is_narrower_than_an_applied_id(world: World) -> Project:
    project = world.project(revisions=("aaa1", "bbb2_add_orders", "ccc3"))
    kind = "ALTER COLUMN version_num TYPE" if world.engine == "postgresql" else "MODIFY version_num"
    project.sql(f"ALTER TABLE alembic_version {kind} VARCHAR(8)")
    return project
