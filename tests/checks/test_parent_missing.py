"""AX204."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from alembic_ext.checks.parent_missing import find
from alembic_ext.facts.lost_revisions import LostRevision
from alembic_ext.findings import Finding, Safety
from tests.checks.facts import lost, place
from tests.revisions import Environment


def found(environment: Environment, lost_parents: Mapping[str, LostRevision] | None = None) -> list[Finding]:
    return list(find(environment.files(), environment.history(), lost_parents or {}))


def test_a_missing_parent_is_named_with_its_line(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    path = environment.add("b", "gone")
    (finding,) = found(environment)

    assert (
        finding.summary == "b_.py names 'gone' as its down_revision, and no revision file declares that id."
    )
    assert finding.evidence == {
        "revision": "b",
        "kind": "down_revision",
        "missing": "gone",
        "candidates": [],
        "case": None,
        "places": [],
        "complete": True,
        "reason": None,
    }
    assert finding.repair.safety is Safety.MANUAL
    line = path.read_text(encoding="utf-8").splitlines()[(finding.location.line or 0) - 1]
    assert line.startswith("down_revision")


def test_a_missing_dependency_is_named_with_its_line(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    path = environment.add("b", depends_on="gone")
    (finding,) = found(environment)

    assert finding.evidence["kind"] == "depends_on"
    line = path.read_text(encoding="utf-8").splitlines()[(finding.location.line or 0) - 1]
    assert line.startswith("depends_on")


@pytest.mark.parametrize("written", ["1975ea_add_users", "1975ea_add_users.py", "1975EA_add_users", "1975"])
def test_the_id_that_was_meant_is_proposed(tmp_path: Path, written: str) -> None:
    environment = Environment(tmp_path)
    environment.add("1975ea", name="1975ea_add_users.py")
    environment.add("b", written)
    (finding,) = found(environment)

    assert finding.evidence["candidates"] == ["1975ea"]
    assert finding.next_actions[0].label == 'write down_revision = "1975ea" in b_.py'


def test_no_proposal_would_close_a_cycle(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("base1", "base2_x", name="base1_x.py")
    environment.add("base2", "base1", name="base2_x.py")
    (finding,) = found(environment)

    assert finding.evidence["candidates"] == []


def test_known_parents_are_silent(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a", branch_labels="shop")
    environment.add("b", "a")
    environment.add("c", ("a", "b"), depends_on="shop")

    assert found(environment) == []


def test_a_parent_in_an_unreadable_file_is_that_files_fault(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.write("a.py", "revision = 'a'\ndown_revision = (\n")
    environment.add("b", "a")
    assert found(environment) == []
    environment.add("c", "gone")
    assert [finding.subject for finding in found(environment)] == ["gone"]


def test_a_file_that_git_still_holds_is_restored(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("b", "gone")
    (finding,) = found(environment, lost("gone", "deleted", place(path="migrations/versions/gone_.py")))

    assert finding.repair.safety is Safety.SAFE
    assert [action.command for action in finding.next_actions] == [
        "git -C /project cat-file -p 1f2e3d > /project/migrations/versions/gone_.py"
    ]
    assert finding.details == ("migrations/versions/gone_.py  (commit)",)


@pytest.mark.parametrize(
    "known",
    [
        lost("gone", "deleted", place(occupied=True)),
        lost("gone", "other-application", place(environment="billing")),
        lost("gone", "wrong-location", place("file", blob=None), place()),
    ],
)
def test_nothing_is_overwritten_nor_taken_from_elsewhere(
    tmp_path: Path, known: Mapping[str, LostRevision]
) -> None:
    environment = Environment(tmp_path)
    environment.add("b", "gone")
    (finding,) = found(environment, known)

    assert finding.repair.safety is Safety.MANUAL
    assert [action.command for action in finding.next_actions] == [None]


def test_an_incomplete_search_is_said_with_its_remedy(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("b", "gone")
    known = lost("gone", complete=False, reason="this is a shallow clone", remedy="git fetch --unshallow")
    (finding,) = found(environment, known)

    assert finding.details == ("not everything was searched: this is a shallow clone",)
    assert finding.next_actions[0].command == "git fetch --unshallow"
