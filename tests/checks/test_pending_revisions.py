"""AX304."""

from __future__ import annotations

from alembic_ext.checks.pending_revisions import find
from alembic_ext.findings import Severity
from tests.checks.facts import LINE, history, version_table


def test_a_database_at_the_head_is_silent() -> None:
    assert list(find(version_table("ccc3"), history(LINE))) == []


def test_a_database_at_both_heads_is_silent() -> None:
    assert list(find(version_table("ccc3", "ddd4"), history({**LINE, "ddd4": "bbb2"}))) == []


def test_an_empty_record_is_silent() -> None:
    """That is AX302 or AX303."""
    assert list(find(version_table(), history(LINE))) == []


def test_an_unknown_row_is_silent() -> None:
    """Nothing is known about what is below it."""
    assert list(find(version_table("9af31c"), history(LINE))) == []


def test_a_head_that_another_branch_depends_on_is_applied_with_it() -> None:
    several = history({**LINE, "rrr1": None}, depends_on={"rrr1": "ccc3"})

    assert list(find(version_table("rrr1"), several)) == []


def test_one_pending_revision_speaks() -> None:
    (finding,) = find(version_table("bbb2"), history(LINE))

    assert (finding.code, finding.severity) == ("AX304", Severity.INFO)
    assert finding.summary == '1 revision not applied yet: ccc3 "message of ccc3"'
    assert finding.next_actions[0].command == "alembic upgrade head"


def test_many_pending_revisions_are_listed_parents_first() -> None:
    chain = {f"r{n}": f"r{n - 1}" if n else None for n in range(12)}
    (finding,) = find(version_table("r0"), history(chain))

    assert finding.evidence["pending"] == [f"r{n}" for n in range(1, 12)]
    assert finding.summary.endswith('r1 "message of r1", r2 "message of r2" and 9 more')
    assert finding.subject == "r11"


def test_a_branch_beside_the_recorded_row_is_pending() -> None:
    (finding,) = find(version_table("ccc3"), history({**LINE, "ddd4": "bbb2"}))

    assert finding.evidence["pending"] == ["ddd4"]
    assert finding.next_actions[0].command == "alembic upgrade heads"


def test_what_lies_below_a_hole_is_not_called_pending() -> None:
    """The file between them is gone, so nobody knows whether aaa1 is below ccc3."""
    assert list(find(version_table("ccc3"), history({"aaa1": None, "ccc3": "bbb2"}))) == []


def test_what_lies_above_the_recorded_row_is_pending_whatever_is_below() -> None:
    holed = history({"aaa1": None, "ccc3": "bbb2", "ddd4": "ccc3"})
    (finding,) = find(version_table("ccc3"), holed)

    assert finding.evidence["pending"] == ["ddd4"]
