"""AX304."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.check import CannotTellError
from alembic_ext.checks.pending_revisions import find
from alembic_ext.facts.history import History
from alembic_ext.facts.revision_files import RevisionFiles, UnreadableFile
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Severity
from alembic_ext.settings import OwnSettings, Settings
from tests.checks.facts import LINE, revision_files, version_table
from tests.revisions import Environment


def pending(table: VersionTable, files: RevisionFiles, *heads: str) -> list[Finding]:
    settings = Settings(root=Path("/project"), own=OwnSettings(heads=heads))
    return list(find(table, files, History.from_files(files), settings))


def test_a_database_at_the_head_is_silent() -> None:
    assert pending(version_table("ccc3"), revision_files(LINE)) == []


def test_a_database_at_both_heads_is_silent() -> None:
    assert pending(version_table("ccc3", "ddd4"), revision_files({**LINE, "ddd4": "bbb2"})) == []


def test_an_empty_record_is_silent() -> None:
    """That is AX302 or AX303."""
    assert pending(version_table(), revision_files(LINE)) == []


def test_an_unknown_row_is_silent() -> None:
    """Nothing is known about what is below it."""
    assert pending(version_table("9af31c"), revision_files(LINE)) == []


def test_a_head_that_another_branch_depends_on_is_applied_with_it() -> None:
    several = revision_files({**LINE, "rrr1": None}, depends_on={"rrr1": "ccc3"})

    assert pending(version_table("rrr1"), several) == []


def test_one_pending_revision_speaks() -> None:
    (finding,) = pending(version_table("bbb2"), revision_files(LINE))

    assert (finding.code, finding.severity) == ("AX304", Severity.INFO)
    assert finding.summary == '1 revision not applied yet: ccc3 "message of ccc3"'
    assert finding.next_actions[0].command == "alembic upgrade head"


def test_many_pending_revisions_are_listed_parents_first() -> None:
    chain = {f"r{n}": f"r{n - 1}" if n else None for n in range(12)}
    (finding,) = pending(version_table("r0"), revision_files(chain))

    assert finding.evidence["pending"] == [f"r{n}" for n in range(1, 12)]
    assert finding.summary.endswith('r1 "message of r1", r2 "message of r2" and 9 more')
    assert finding.subject == "r11"


def test_a_branch_beside_the_recorded_row_is_pending() -> None:
    (finding,) = pending(version_table("ccc3"), revision_files({**LINE, "ddd4": "bbb2"}))

    assert finding.evidence["pending"] == ["ddd4"]
    assert finding.next_actions[0].command == "alembic upgrade heads"


@pytest.mark.parametrize(
    ("files", "because"),
    [
        pytest.param(
            revision_files(LINE, unreadable=[UnreadableFile(path=Path("x.py"), reason="")]), "AX202"
        ),
        pytest.param(revision_files({"aaa1": None, "bbb2": "aaa1", "ddd4": "gone"}), "AX204"),
        pytest.param(revision_files({"aaa1": None, "bbb2": "aaa1", "ddd4": "ddd4"}), "AX205"),
    ],
)
def test_what_is_pending_in_a_broken_history_is_not_known(files: RevisionFiles, because: str) -> None:
    """The file that is missing may be what joins them."""
    with pytest.raises(CannotTellError) as raised:
        pending(version_table("aaa1"), files)
    assert raised.value.because == because


def test_a_broken_history_above_which_nothing_lies_is_silent() -> None:
    assert pending(version_table("ccc3"), revision_files({"ccc3": "bbb2"})) == []


def test_a_parent_that_was_cut_off_is_not_called_pending(tmp_path: Path) -> None:
    """The docstring still says that the recorded revision follows it."""
    environment = Environment(tmp_path)
    environment.add("a")
    environment.add("b", None, revises="a")

    with pytest.raises(CannotTellError) as raised:
        pending(version_table("b"), environment.files())
    assert raised.value.because == "AX206"


def test_a_head_that_is_meant_is_pending_whatever_the_docstring_says(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.add("a")
    environment.add("b", None, revises="a")

    (finding,) = pending(version_table("b"), environment.files(), "a", "b")
    assert finding.evidence["pending"] == ["a"]
