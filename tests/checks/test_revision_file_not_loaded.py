"""AX212."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.revision_file_not_loaded import find
from alembic_ext.facts.gather import gather
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.workspace import open_workspace
from tests.project import Project
from tests.revisions import Environment, revision_text


def test_files_in_folders_that_are_not_searched_are_named(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    below = environment.add("b", "a", name="2026/b.py")
    beside = tmp_path / "c.py"
    beside.write_text(revision_text("c", "a"), encoding="utf-8")
    findings = {finding.location.path: finding for finding in find(environment.files())}

    assert set(findings) == {below, beside}
    assert "recursive_version_locations" in findings[below].next_actions[0].label
    assert "version_locations" in findings[beside].next_actions[0].label


def test_searched_folders_and_other_python_files_are_silent(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    environment.add("b", "a", name="2026/b.py")
    (tmp_path / "env.py").write_text("revision = context.get_x_argument()\n", encoding="utf-8")

    assert list(find(environment.files(recursive=True))) == []


def test_when_nothing_is_loaded_that_is_another_finding(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("b", name="2026/b.py")

    assert list(find(environment.files())) == []


def test_files_that_another_section_of_the_ini_loads_are_silent(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.revision("ddd4", None, folder="migrations/second")
    project.revision("eee5", None, folder="migrations/third")
    ini = project.ini.read_text(encoding="utf-8")
    second = "[second]\nscript_location = migrations\nversion_locations = %(here)s/migrations/second\n"
    project.ini.write_text(ini + second, encoding="utf-8")
    workspace = open_workspace(root=project.root)
    files = gather(workspace, frozenset({"revision_files"})).project["revision_files"]

    assert isinstance(files, RevisionFiles)
    assert [finding.subject for finding in find(files)] == ["eee5"]
