"""AX301."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from alembic_ext.checks.revision_not_found import find
from alembic_ext.facts.git_objects import Commit
from alembic_ext.facts.history import History
from alembic_ext.facts.lost_revisions import LostRevision
from alembic_ext.facts.revision_files import UnreadableFile
from alembic_ext.findings import Finding, Safety
from tests.checks.facts import LINE, VERSIONS, lost, place, revision_files, target, version_table

COMMIT = Commit(
    id="4be12f0a1b2c3d4e5f60718293a4b5c6d7e8f901",
    parents=(),
    author="Ann",
    date=datetime(2026, 1, 5, tzinfo=timezone.utc),
    subject="add coupons",
)
UNREADABLE = UnreadableFile(path=VERSIONS / "ddd4_.py", reason="conflict", apparent_revisions=("ddd4",))


def found(
    *rows: str | None,
    lost_revisions: Mapping[str, LostRevision] | None = None,
    unreadable: tuple[UnreadableFile, ...] = (),
    parents: Mapping[str, str | None] = LINE,
    **table: Any,
) -> list[Finding]:
    files = revision_files(parents, unreadable=unreadable)
    record = version_table(*rows, **table)
    return list(find(record, History.from_files(files), files, lost_revisions or {}, target()))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param((), id="no-row"),
        pytest.param(("ccc3",), id="the-head"),
        pytest.param(("aaa1", "ccc3"), id="two-known-rows"),
        pytest.param((None, "", " "), id="null-and-blank"),
        pytest.param(("ccc3 ",), id="blank-at-the-end"),
        pytest.param(("CCC3",), id="upper-case"),
    ],
)
def test_known_and_malformed_rows_are_silent(rows: tuple[str | None, ...]) -> None:
    """What fits a revision but for its spelling is AX306."""
    assert found(*rows) == []


def test_a_part_of_an_id_is_silent() -> None:
    assert found("ccc3ccc", parents={"ccc3cccc3333": None}) == []


def test_an_id_of_an_unreadable_file_is_silent() -> None:
    assert found("ddd4", unreadable=(UNREADABLE,)) == []


def test_an_unreadable_file_with_another_id_excuses_nothing() -> None:
    assert len(found("eee5", unreadable=(UNREADABLE,))) == 1


def test_an_id_that_nothing_knows_speaks() -> None:
    (finding,) = found("9af31c")

    assert finding.code == "AX301"
    assert finding.evidence["case"] == "unknown"
    assert finding.repair.safety is Safety.MANUAL
    assert finding.next_actions[0].label == (
        "wrong database? mysql app@db1/shop came from sqlalchemy.url, key sqlalchemy.url"
    )


def test_a_row_is_reported_once_however_often_it_is_there() -> None:
    assert len(found("9af31c", "9af31c")) == 1


def test_each_unknown_row_speaks() -> None:
    assert [finding.subject for finding in found("9af31c", "ccc3", "b7")] == ["9af31c", "b7"]


def test_an_id_with_blanks_inside_is_damaged() -> None:
    (finding,) = found("9af 31c")

    assert finding.evidence["case"] == "damaged-id"


@pytest.mark.parametrize("case", ["database-ahead", "other-branch", "deleted", "never-committed"])
def test_a_file_that_git_still_holds_can_be_restored(case: str) -> None:
    there = place(commit=COMMIT, branches=("feature/coupons",))
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", case, there))

    assert finding.evidence["case"] == case
    assert finding.evidence["commit"] == COMMIT.id
    assert finding.repair.safety is Safety.SAFE
    assert finding.details[1] == (
        'migrations/versions/ddd4_.py  in 4be12f0a1b (feature/coupons) "add coupons"'
    )


def test_a_deleted_file_is_brought_back_by_a_command_that_can_be_pasted() -> None:
    there = place(commit=COMMIT, path="migrations/versions/ddd4 新建 orders.py", deleted_by=COMMIT)
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", "deleted", there))

    assert finding.next_actions[0].command == (
        "git -C /project cat-file -p 1f2e3d > '/project/migrations/versions/ddd4 新建 orders.py'"
    )
    assert "deleted by 4be12f0a1b" in finding.details[1]


def test_a_newer_database_is_met_with_the_code_that_has_the_file() -> None:
    there = place(commit=COMMIT, remote_branches=("origin/main",))
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", "database-ahead", there))

    assert [action.label for action in finding.next_actions] == [
        "deploy the code that has it: origin/main",
        "or downgrade with that code first, then come back: git switch origin/main",
    ]


def test_a_file_in_the_wrong_place_is_named() -> None:
    there = place("file", path="backup/ddd4_.py", blob=None)
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", "wrong-location", there))

    assert finding.next_actions[0].label == "move backup/ddd4_.py into a version location, or add its folder"


def test_a_row_of_another_application_speaks_where_ours_is_not_there() -> None:
    theirs = lost("b111", "other-application", place("file", environment="billing"))
    (finding,) = found("b111", lost_revisions=theirs)

    assert finding.evidence["case"] == "other-application"
    assert finding.repair.safety is Safety.MANUAL


def test_a_row_of_another_application_beside_ours_is_silent() -> None:
    """The table is shared: AX307."""
    theirs = lost("b111", "other-application", place("file", environment="billing"))

    assert found("b111", "ccc3", lost_revisions=theirs) == []


def test_an_incomplete_search_is_said() -> None:
    """Not found is not gone."""
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", complete=False, reason="git is too old"))

    assert (finding.evidence["complete"], finding.evidence["reason"]) == (False, "git is too old")
    assert finding.details[-1] == "not everything was searched: git is too old"
