"""AX305."""

from __future__ import annotations

import pytest

from alembic_ext.checks.overlapping_rows import find
from tests.checks.facts import LINE, history, target, version_table


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param((), id="none"),
        pytest.param(("bbb2",), id="one"),
        pytest.param(("ccc3", "ddd4"), id="heads-of-two-branches"),
        pytest.param(("ccc3", "unknown"), id="an-unknown-row-beside"),
        pytest.param((None, None), id="null-is-no-id"),
    ],
)
def test_rows_that_do_not_overlap_are_silent(rows: tuple[str | None, ...]) -> None:
    assert list(find(version_table(*rows), history({**LINE, "ddd4": "bbb2"}), target())) == []


def test_an_ancestor_speaks() -> None:
    (finding,) = find(version_table("aaa1", "ccc3"), history(LINE), target())

    assert (finding.code, finding.subject) == ("AX305", "aaa1")
    assert finding.summary == "The version table holds rows that overlap: aaa1 is an ancestor of ccc3."
    assert finding.evidence["rows"] == ["aaa1", "ccc3"]


def test_a_dependency_is_an_ancestor() -> None:
    several = history({**LINE, "rrr1": None}, depends_on={"rrr1": "ccc3"})
    (finding,) = find(version_table("ccc3", "rrr1"), several, target())

    assert finding.summary.endswith("ccc3 is an ancestor of rrr1.")


@pytest.mark.parametrize("row", ["ccc3", "unknown"])
def test_a_row_that_is_there_twice_speaks(row: str) -> None:
    (finding,) = find(version_table(row, row), history(LINE), target())

    assert finding.summary == f"The version table holds rows that overlap: {row} is there 2 times."


def test_both_are_one_finding() -> None:
    (finding,) = find(version_table("aaa1", "ccc3", "ccc3"), history(LINE), target())

    assert "ccc3 is there 2 times; aaa1 is an ancestor of ccc3" in finding.summary


@pytest.mark.parametrize(
    ("rows", "sql"),
    [
        (("aaa1", "ccc3"), "DELETE FROM alembic_version WHERE version_num = 'aaa1';"),
        (
            ("ccc3", "ccc3"),
            (
                "BEGIN;\n"
                "DELETE FROM alembic_version WHERE version_num = 'ccc3';\n"
                "INSERT INTO alembic_version (version_num) VALUES ('ccc3');\n"
                "COMMIT;"
            ),
        ),
        (("aaa1", "aaa1", "ccc3"), "DELETE FROM alembic_version WHERE version_num = 'aaa1';"),
    ],
)
def test_the_sql_that_makes_it_right_is_shown(rows: tuple[str, ...], sql: str) -> None:
    (finding,) = find(version_table(*rows), history(LINE), target())

    assert [action.command for action in finding.next_actions] == [sql]
