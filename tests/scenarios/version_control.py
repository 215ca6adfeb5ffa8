"""Family AX6: the safety net, and AX9: the doctor itself."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks import registered_checks
from alembic_ext.findings import Finding
from tests.project import Project
from tests.scenarios.scenario import SERVERS, Family, World

FAMILY = Family()
scenario = FAMILY.scenario


def _committed(world: World, **how: object) -> Project:
    project = world.project(**how)  # type: ignore[arg-type]
    project.write(".gitignore", "__pycache__/\n*.db*\n")
    project.commit("the beginning")
    return project


# AX601 revision-not-committed


@scenario("AX601", exit_code=0)
def an_applied_revision_is_not_in_git(world: World) -> Project:
    project = _committed(world)
    project.revision("ddd4", "ccc3")
    world.upgrade(project, "head")
    return project


@scenario("AX601", exit_code=0)
def a_revision_is_staged_and_not_committed(world: World) -> Project:
    project = _committed(world)
    project.revision("ddd4", "ccc3")
    project.git("add", "--all")
    world.upgrade(project, "head")
    return project


@scenario("AX601", exit_code=0)
def a_revision_was_changed_since_the_last_commit(world: World) -> Project:
    project = _committed(world)
    file = project.versions / "bbb2_.py"
    file.write_text(file.read_text("utf-8") + "\n# a change\n", "utf-8")
    return project


# AX602 revisions-ignored


@scenario("AX602", exit_code=0, evidence={"tool": "git"})
def git_ignores_the_version_location(world: World) -> Project:
    project = world.project()
    project.write(".gitignore", "__pycache__/\n*.db*\nversions/\n")
    project.commit("the beginning")
    return project


@scenario("AX602", exit_code=0, evidence={"tool": "docker"})
def docker_ignores_the_version_location(world: World) -> Project:
    project = _committed(world)
    project.write(".dockerignore", "**/versions\n")
    project.commit("a smaller image")
    return project


# AX901 check-crashed


@scenario("AX901", exit_code=2, engines=SERVERS, evidence={"check": "AX305"})
def a_check_raises(world: World) -> Project:
    """The only state that no project can bring about: a rule of ours is broken for this test."""

    def broken(version_table: object, history: object) -> Iterator[Finding]:
        yield from ()
        raise RuntimeError(f"a server answered {version_table} {history}")

    check = next(one for one in registered_checks() if one.code == "AX305")
    world.monkeypatch.setattr(check, "rule_function", broken)
    return world.project()
