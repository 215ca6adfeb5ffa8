"""AX201."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.no_revision_files import find
from alembic_ext.facts.revision_files import read_revision_files
from tests.revisions import Environment


def test_a_missing_location_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "versoins"
    (finding,) = find(read_revision_files(tmp_path, (missing,)))

    assert finding.summary == f"No revision files: the version location {missing} does not exist."
    assert finding.evidence == {"locations": [str(missing)], "missing": [str(missing)], "not_loaded": []}
    assert finding.next_actions[0].label == f"deleted? git status shows it, and: git checkout -- {missing}"
    assert "on a database that records a revision it would not find it" in finding.why


def test_files_that_lie_where_nobody_looks_are_named(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    path = environment.add("a", name="2026/a.py")
    (finding,) = find(environment.files())

    assert finding.evidence["not_loaded"] == [str(path)]
    assert "recursive_version_locations" in finding.next_actions[0].label


def test_a_new_project_is_healthy(tmp_path: Path) -> None:
    assert list(find(Environment(tmp_path).files())) == []


def test_one_missing_location_of_two_is_not_nothing(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    files = read_revision_files(tmp_path, (environment.versions, tmp_path / "missing"))

    assert list(find(files)) == []


def test_an_unreadable_file_is_a_file(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.write("a.py", "(")
    files = read_revision_files(tmp_path, (environment.versions, tmp_path / "missing"))

    assert list(find(files)) == []
