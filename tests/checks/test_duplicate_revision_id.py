"""AX203."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.duplicate_revision_id import find
from tests.revisions import Environment


def test_the_files_are_named_and_which_one_alembic_keeps(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    first = environment.add("0016", name="0016_carts.py")
    second = environment.add("0016", name="0016_users.py")
    (finding,) = find(environment.history())

    assert finding.summary == "2 files declare the id 0016: 0016_carts.py, 0016_users.py."
    assert finding.why == "Alembic keeps 0016_users.py; 0016_carts.py never runs."
    assert finding.evidence == {"files": [str(first), str(second)], "kept": str(second)}


def test_different_ids_are_silent(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    environment.add("A", "a", name="upper.py")

    assert list(find(environment.history())) == []
