"""AX202."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.revision_file_unreadable import find
from tests.revisions import Environment, revision_text


def test_each_unreadable_file_is_named_with_reason_and_line(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    conflict = environment.write(
        "b.py", "revision = 'b'\n<<<<<<< HEAD\ndown_revision = 'a'\n=======\n>>>>>>> x\n"
    )
    environment.write("c.py", "revision = 'c'\ndown_revision = parent()\n")
    first, second = find(environment.files())

    assert first.summary == "b.py cannot be read: it holds merge conflict markers."
    assert (first.location.path, first.location.line) == (conflict, 2)
    assert first.evidence["apparent_revisions"] == ["b"]
    assert second.evidence["reason"] == "`down_revision` is computed: `parent()` is not a literal"


def test_readable_files_are_silent(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a", message="添加")
    environment.write("__init__.py", "(")
    environment.write(".#b.py", "(")
    environment.write("b.py", "\ufeff" + revision_text("b", "a"))

    assert list(find(environment.files())) == []


def test_metadata_of_macos_is_to_be_deleted(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    environment.write("._a.py", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    (finding,) = find(environment.files())

    assert finding.next_actions[0].label.startswith("delete it: macOS writes such files")
