"""AX205."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.revision_cycle import find
from tests.revisions import Environment


def test_the_edge_to_cut_is_named_with_its_line(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    path = environment.add("b", "d", revises="a")
    environment.add("c", "b")
    environment.add("d", "c")
    (finding,) = find(environment.history())

    assert finding.summary == "3 revisions form a cycle; cut b -> d (down_revision)."
    assert finding.evidence["cut"] == {"revision": "b", "parent": "d", "kind": "down_revision"}
    assert finding.location.path == path
    line = path.read_text(encoding="utf-8").splitlines()[(finding.location.line or 0) - 1]
    assert line.startswith("down_revision")
    assert "that edge, because its docstring says that it revises a" in finding.details


def test_a_loop_is_a_cycle_of_one(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a", depends_on="a")
    (finding,) = find(environment.history())

    assert finding.summary == "Revision a names itself as its depends_on."


def test_a_diamond_is_no_cycle(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    environment.add("b", "a")
    environment.add("c", "a", depends_on="b")
    environment.add("d", ("b", "c"))

    assert list(find(environment.history())) == []
