"""AX301."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
        "or downgrade with that code first, then come back",
    ]
    assert finding.next_actions[1].command == "git -C /project switch --detach origin/main"


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"branches": ("feature/coupons",)}, "feature/coupons"),
        ({"tags": ("v2",)}, "--detach v2"),
        ({}, "--detach 4be12f0a1b"),
    ],
)
def test_the_way_back_can_be_pasted(known: dict[str, Any], line: str) -> None:
    there = place(commit=COMMIT, down_revisions=("ccc3",), **known)
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", "other-branch", there))

    assert finding.next_actions[1].command == f"git -C /project switch {line}\nalembic downgrade ccc3"
    assert finding.next_actions[1].safety is Safety.UNSAFE


@pytest.mark.parametrize(("rows", "below"), [(("ddd4",), "zzz9"), (("ddd4", "bbb2"), "ccc3")])
def test_a_way_back_that_is_not_known_is_not_made_up(rows: tuple[str, ...], below: str) -> None:
    there = place(commit=COMMIT, down_revisions=(below,))
    (finding,) = found(*rows, lost_revisions=lost("ddd4", "other-branch", there))

    assert "downgrade" not in (finding.next_actions[1].command or "")


def test_a_file_whose_id_was_changed_is_named() -> None:
    there = place(
        commit=COMMIT, path="migrations/versions/ccc3_.py", in_head=True, still_in_head=True, occupied=True
    )
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", "deleted", there))

    assert finding.summary.endswith("Its file ccc3_.py now declares ccc3.")
    assert [action.command for action in finding.next_actions] == [
        "git -C /project diff 4be12f0a1b -- migrations/versions/ccc3_.py",
        None,
    ]
    assert finding.next_actions[1].label == 'write revision = "ddd4" in ccc3_.py again'
    assert finding.repair.safety is Safety.MANUAL


def test_without_git_the_name_of_the_file_tells_that_its_id_was_changed() -> None:
    files = revision_files({"ffff": None})
    renamed = replace(files, files=(replace(files.files[0], path=VERSIONS / "ddd4_add_email.py"),))
    (finding,) = find(version_table("ddd4"), History.from_files(renamed), renamed, {}, target())

    assert finding.summary.endswith("Its file ddd4_add_email.py now declares ffff.")


def test_bytecode_that_is_left_is_named_and_kept() -> None:
    left = place("bytecode", path="__pycache__/ddd4_.cpython-311.pyc", blob=None)
    (finding,) = found("ddd4", lost_revisions=lost("ddd4", None, left))

    assert finding.evidence["case"] == "unknown"
    assert finding.summary.endswith("Only bytecode is left of it: __pycache__/ddd4_.cpython-311.pyc.")
    assert finding.next_actions[0].command == (
        "cp -p /project/__pycache__/ddd4_.cpython-311.pyc /project/ddd4_.cpython-311.pyc.kept"
    )


def test_a_repository_that_could_not_be_searched_comes_before_the_wrong_database() -> None:
    remedy = "git config --global --add safe.directory /project"
    unsearched = lost("ddd4", complete=False, reason="git was not searched: not ours", remedy=remedy)
    (finding,) = found("ddd4", lost_revisions=unsearched)

    assert finding.summary.endswith("It may be in git, which was not searched.")
    assert finding.next_actions[0].command == remedy
    assert finding.next_actions[1].label.startswith("wrong database?")


def test_a_search_that_was_not_complete_does_not_say_that_nothing_knows_it() -> None:
    remedy = "git -C /project fetch --unshallow"
    shallow = lost("ddd4", complete=False, reason="this is a shallow clone", remedy=remedy)
    (finding,) = found("ddd4", lost_revisions=shallow)

    assert finding.summary.endswith("Nothing declares it in what could be searched.")
    assert finding.details[-1] == "not everything was searched: this is a shallow clone"
    assert finding.next_actions[0].command == remedy


def test_what_no_command_makes_searchable_is_said_first() -> None:
    unsearched = lost("ddd4", complete=False, reason="git was not searched: git is not installed")
    (finding,) = found("ddd4", lost_revisions=unsearched)

    assert finding.next_actions[0].label.endswith("look again: git was not searched: git is not installed")


def test_a_damaged_row_is_shown_as_it_is() -> None:
    (finding,) = found("9af\x0731c")

    assert "the row holds '9af\\x0731c'" in finding.details
    (action,) = finding.next_actions
    assert action.label.startswith("the row holds '9af\\x0731c'")


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
