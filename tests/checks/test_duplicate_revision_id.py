"""AX203."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.duplicate_revision_id import find
from tests.revisions import Environment


def test_the_files_are_named_and_which_one_alembic_keeps(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    first = environment.add("0016", name="0016_carts.py")
    second = environment.add("0016", name="0016_users.py", message="users")
    (finding,) = find(environment.history())

    assert finding.summary == "2 files declare the id 0016: 0016_carts.py, 0016_users.py."
    assert finding.why == "Alembic keeps 0016_users.py; 0016_carts.py never runs."
    assert finding.next_actions[0].label.startswith("give the one that no database has run a new id")
    assert finding.evidence == {"files": [str(first), str(second)], "kept": str(second)}


def test_different_ids_are_silent(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    environment.add("A", "a", name="upper.py")

    assert list(find(environment.history())) == []


def test_an_identical_copy_is_to_be_deleted(tmp_path: Path) -> None:
    """With an id of its own it would run twice."""
    environment = Environment(tmp_path)
    file = environment.add("0016")
    environment.write("copy.py", file.read_bytes())
    (finding,) = find(environment.history())

    assert finding.next_actions[0].label == "the files are identical: delete the copy"
