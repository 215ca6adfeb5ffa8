"""AX208."""

from __future__ import annotations

import compileall
from pathlib import Path

from alembic_ext.checks.orphan_bytecode import find
from alembic_ext.findings import Safety
from tests.revisions import Environment


def with_deleted_files(tmp_path: Path, *gone: str) -> Environment:
    environment = Environment(tmp_path)
    environment.add("a")
    paths = [environment.add(revision) for revision in gone]
    compileall.compile_dir(environment.versions, quiet=1)
    for path in paths:
        path.unlink()
    return environment


def test_ghosts_that_alembic_loads_are_named_one_by_one(tmp_path: Path) -> None:
    findings = list(find(with_deleted_files(tmp_path, "b", "c").files(sourceless=True)))

    assert [finding.evidence["revisions"] for finding in findings] == [["b"], ["c"]]
    assert all(finding.evidence["loaded"] for finding in findings)
    assert "Alembic loads it as revision b" in findings[0].summary


def test_leftovers_are_named_together(tmp_path: Path) -> None:
    (finding,) = find(with_deleted_files(tmp_path, "b", "c").files())

    assert finding.summary.startswith("2 .pyc files have no source any more in versions: b_.")
    assert finding.evidence["revisions"] == ["b", "c"]
    assert finding.repair.safety is Safety.UNSAFE
    assert finding.next_actions[0].label.startswith("copy it away first")


def test_bytecode_with_its_source_is_silent(tmp_path: Path) -> None:
    environment = with_deleted_files(tmp_path)

    assert list(find(environment.files())) == []
    assert list(find(environment.files(sourceless=True))) == []


def test_bytecode_of_something_that_is_no_revision_is_silent(tmp_path: Path) -> None:
    environment = with_deleted_files(tmp_path)
    for name in ("__init__.py", "a_.py"):
        environment.write(name, (environment.versions / "a_.py").read_bytes())
    compileall.compile_dir(environment.versions, quiet=1)
    (environment.versions / "__init__.py").unlink()

    assert list(find(environment.files())) == []
