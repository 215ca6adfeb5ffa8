"""AX211."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.commit_in_migration import find
from alembic_ext.facts.commits import find_commits
from tests.revisions import Environment


def test_each_file_is_reported_once_with_every_line(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    path = environment.add("a", upgrade="op.get_bind().commit()\nop.execute('COMMIT')")
    environment.add("b", "a", upgrade="op.execute('COMMIT')")
    first, second = find(find_commits(environment.files()))

    lines = path.read_text(encoding="utf-8").splitlines()
    assert [lines[place["line"] - 1].strip() for place in first.evidence["places"]] == [
        "op.get_bind().commit()",
        "op.execute('COMMIT')",
    ]
    assert (first.subject, second.subject) == ("a", "b")
    assert first.location.line == first.evidence["places"][0]["line"]


def test_the_right_way_is_silent(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a", upgrade="with op.get_context().autocommit_block():\n    op.execute('VACUUM')")

    assert list(find(find_commits(environment.files()))) == []
