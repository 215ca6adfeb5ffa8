"""Family AX2: the revision files."""

from __future__ import annotations

import compileall

from tests.project import Project
from tests.scenarios.scenario import SERVERS, SQLITE, Family, World

FAMILY = Family()
scenario = FAMILY.scenario

LONG = "bbb2_add_the_delivery_address_to_orders"


# AX201 no-revision-files


@scenario("AX201", exit_code=1)
def the_version_location_is_missing(world: World) -> Project:
    project = world.project(revisions=(), at="head")
    project.versions.rmdir()
    return project


@scenario("AX201", exit_code=1)
def the_files_were_not_copied_into_the_image(world: World) -> Project:
    project = world.project()
    world.remove(project, "")
    _remove_bytecode(project)
    project.versions.rmdir()
    return project


@scenario("AX201", exit_code=1)
def every_file_lies_in_a_folder_that_is_not_searched(world: World) -> Project:
    project = world.project()
    _remove_bytecode(project)
    for file in list(project.versions.glob("*.py")):
        target = project.versions / "2026" / file.name
        target.parent.mkdir(exist_ok=True)
        file.rename(target)
    return project


def _remove_bytecode(project: Project) -> None:
    for file in project.root.rglob("*.pyc"):
        file.unlink()
    for folder in sorted(project.root.rglob("__pycache__")):
        folder.rmdir()


# AX202 revision-file-unreadable


def _broken(world: World, content: str | bytes, *, at: str = "bbb2", name: str = "ccc3_.py") -> Project:
    project = world.project(at=at)
    world.remove(project, name.partition("_")[0])
    _remove_bytecode(project)
    project.write(f"migrations/versions/{name}", content)
    return project


CONFLICT = """\
from alembic import op
<<<<<<< HEAD
revision = "ccc3"
down_revision = "bbb2"
=======
revision = "ccc3"
down_revision = "aaa1"
>>>>>>> feature
"""


@scenario("AX202", exit_code=1)
def a_file_holds_conflict_markers(world: World) -> Project:
    return _broken(world, CONFLICT)


@scenario("AX202", exit_code=1)
def the_file_of_the_recorded_revision_holds_conflict_markers(world: World) -> Project:
    return _broken(world, CONFLICT, at="ccc3")


@scenario("AX202", exit_code=1)
def a_file_in_the_middle_has_a_syntax_error(world: World) -> Project:
    text = 'revision = "bbb2"\ndown_revision = "aaa1"\n\n\ndef upgrade(:\n'
    return _broken(world, text, at="ccc3", name="bbb2_.py")


@scenario("AX202", exit_code=1)
def a_file_is_not_decodable(world: World) -> Project:
    return _broken(world, '"""新建订单表"""\nrevision = "ccc3"\ndown_revision = "bbb2"\n'.encode("gbk"))


@scenario("AX202", exit_code=1)
def a_file_declares_no_revision(world: World) -> Project:
    project = world.project()
    project.write("migrations/versions/helpers.py", "def add_table():\n    pass\n")
    return project


@scenario("AX202", exit_code=1)
def an_id_is_a_number(world: World) -> Project:
    return _broken(world, "revision = 3\ndown_revision = 'bbb2'\n")


@scenario("AX202", exit_code=1)
def a_parent_is_computed(world: World) -> Project:
    return _broken(world, "import os\nrevision = 'ccc3'\ndown_revision = os.environ.get('PARENT', 'bbb2')\n")


# AX203 duplicate-revision-id


@scenario("AX203", exit_code=1)
def a_file_was_copied(world: World) -> Project:
    project = world.project()
    text = (project.versions / "ccc3_.py").read_text("utf-8")
    project.write("migrations/versions/ccc3_copy.py", text)
    return project


@scenario("AX203", exit_code=1)
def two_files_in_the_middle_have_one_id(world: World) -> Project:
    project = world.project()
    project.revision(
        "bbb2", "aaa1", 'op.add_column("t1", sa.Column("n", sa.Integer()))', name="bbb2_other.py"
    )
    return project


# AX204 parent-missing


@scenario("AX204", exit_code=1, evidence={"missing": "bbb2", "kind": "down_revision"})
def a_file_in_the_middle_is_gone(world: World) -> Project:
    project = world.project()
    _remove_bytecode(project)
    world.remove(project, "bbb2")
    return project


@scenario("AX204", exit_code=1, evidence={"missing": "bbb2", "case": "deleted"})
def a_file_in_the_middle_is_gone_that_git_still_holds(world: World) -> Project:
    project = world.project()
    project.write(".gitignore", "__pycache__/\n*.db*\n")
    project.commit("the beginning")
    _remove_bytecode(project)
    world.remove(project, "bbb2")
    return project


@scenario("AX204", exit_code=1, evidence={"candidates": ["ccc3"]})
def a_parent_is_named_by_its_file(world: World) -> Project:
    project = world.project()
    (project.versions / "ccc3_.py").rename(project.versions / "0003_orders.py")
    _remove_bytecode(project)
    project.revision("ddd4", "0003_orders")
    project.set_rows("ddd4")
    return project


@scenario("AX204", exit_code=1, evidence={"missing": "gone", "kind": "depends_on"})
def a_dependency_is_gone(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "ccc3", depends_on="gone")
    project.set_rows("ddd4")
    return project


@scenario("AX204", exit_code=1)
def a_member_of_a_merge_is_gone(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", ("ccc3", "gone"))
    project.set_rows("ddd4")
    return project


# AX205 revision-cycle


@scenario("AX205", exit_code=1)
def the_revisions_form_a_cycle(world: World) -> Project:
    project = world.project()
    project.revision("aaa1", "ccc3", 'op.create_table("t1")')
    return project


@scenario("AX205", exit_code=1)
def a_revision_names_itself(world: World) -> Project:
    project = world.project()
    project.revision("bbb2", ("aaa1", "bbb2"), 'op.create_table("t2")')
    return project


@scenario("AX205", exit_code=1)
def a_dependency_closes_a_cycle(world: World) -> Project:
    project = world.project()
    project.revision("aaa1", None, 'op.create_table("t1")', depends_on="bbb2")
    return project


# AX206 multiple-heads


@scenario("AX206", exit_code=1)
def there_are_two_heads(world: World) -> Project:
    project = world.project(at=None)
    project.revision("ddd4", "bbb2")
    world.upgrade(project, "heads")
    return project


@scenario("AX206", "AX304", exit_code=1)
def there_are_two_heads_and_one_is_not_applied(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "bbb2")
    return project


@scenario("AX206", exit_code=1)
def a_label_is_inherited_by_both_heads(world: World) -> Project:
    project = world.project(revisions=(), at=None)
    project.revision("aaa1", None, branch_labels="shop")
    project.revision("bbb2", "aaa1")
    project.revision("ccc3", "aaa1")
    _no_models(project)
    world.upgrade(project, "heads")
    return project


def _no_models(project: Project) -> None:
    """For histories that create nothing."""
    project.write_models(0)


# AX207 revision-id-too-long


@scenario("AX207", "AX304", exit_code=1, engines=SERVERS, evidence={"width": 32, "ids": [LONG]})
def a_pending_id_is_longer_than_the_column(world: World) -> Project:
    return world.project(revisions=("aaa1", LONG), at="aaa1")


@scenario("AX207", "AX303", exit_code=1, engines=SERVERS, evidence={"width": 32, "table_exists": False})
def an_id_is_longer_than_the_column_that_alembic_will_create(world: World) -> Project:
    return world.project(revisions=("aaa1", LONG), at=None)


@scenario("AX304", exit_code=0, engines=SQLITE)
def a_pending_id_is_long_and_sqlite_does_not_mind(world: World) -> Project:
    return world.project(revisions=("aaa1", LONG), at="aaa1")


@scenario("AX304", exit_code=0, engines=SERVERS)
def a_pending_id_is_long_and_the_column_is_wide(world: World) -> Project:
    project = world.project(revisions=("aaa1", LONG), at="aaa1")
    kind = "ALTER COLUMN version_num TYPE" if world.engine == "postgresql" else "MODIFY version_num"
    project.sql(f"ALTER TABLE alembic_version {kind} VARCHAR(255)")
    return project


# AX208 orphan-bytecode


@scenario("AX208", exit_code=0, evidence={"loaded": False, "revisions": ["ccc3"]})
def bytecode_is_left_of_a_deleted_file(world: World) -> Project:
    project = world.project(at="bbb2")
    _remove_bytecode(project)
    compileall.compile_dir(str(project.versions), quiet=2)
    world.remove(project, "ccc3")
    return project


@scenario("AX208", exit_code=0, evidence={"loaded": True, "revisions": ["ccc3"]})
def alembic_loads_the_bytecode_of_a_deleted_file(world: World) -> Project:
    project = world.project(at="head", ini={"sourceless": "true"})
    _remove_bytecode(project)
    compileall.compile_dir(str(project.versions), quiet=2)
    world.remove(project, "ccc3")
    return project


# AX209 invalid-revision-id


@scenario("AX209", exit_code=1)
def an_id_has_a_character_that_alembic_refuses(world: World) -> Project:
    project = world.project()
    project.revision("ddd-4", "ccc3")
    project.set_rows("ddd-4")
    return project


@scenario("AX209", exit_code=1)
def a_label_is_declared_twice(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "ccc3", branch_labels="shop")
    project.revision("eee5", "ddd4", branch_labels="shop")
    project.set_rows("eee5")
    return project


# AX210 empty-baseline


@scenario("AX210", exit_code=0)
def the_first_revision_does_nothing(world: World) -> Project:
    project = world.project(revisions=(), at=None)
    project.revision("aaa1", None, "pass")
    project.sql("CREATE TABLE t1 (id INTEGER PRIMARY KEY)", "CREATE TABLE t2 (id INTEGER PRIMARY KEY)")
    project.write_models(2)
    world.upgrade(project, "head")
    return project


# AX211 commit-in-migration


@scenario("AX211", exit_code=0)
def a_migration_commits_its_own_connection(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "ccc3", "op.get_bind().commit()")
    project.set_rows("ddd4")
    return project


@scenario("AX211", exit_code=0)
def a_migration_sends_the_text_commit(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "ccc3", 'op.execute("COMMIT")')
    project.set_rows("ddd4")
    return project


# AX212 revision-file-not-loaded


@scenario("AX212", exit_code=0)
def a_file_lies_in_a_subfolder(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "ccc3", folder="migrations/versions/2026")
    return project


@scenario("AX212", exit_code=0)
def a_file_lies_beside_env_py(world: World) -> Project:
    project = world.project()
    project.revision("ddd4", "ccc3", folder="migrations")
    return project
