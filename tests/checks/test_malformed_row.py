"""AX306."""

from __future__ import annotations

import pytest

from alembic_ext.checks.malformed_row import find
from alembic_ext.findings import Safety
from tests.checks.facts import history, target, version_table

HISTORY = history({"aaa1": None, "bbb2bbbb2222": "aaa1", "ccc3cccc3333": "bbb2bbbb2222"})


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("aaa1", id="an-id"),
        pytest.param("9af31c04", id="unknown"),
        pytest.param("ccc", id="too-short-for-a-part"),
        pytest.param("ccc3cccc33334444", id="longer-than-the-id"),
    ],
)
def test_a_well_formed_row_is_silent(row: str) -> None:
    """Whether it is known is AX301's affair."""
    assert list(find(version_table(row), HISTORY, target())) == []


@pytest.mark.parametrize(
    ("row", "wrong", "fits"),
    [
        pytest.param(None, "null", [], id="null"),
        pytest.param("", "blank", [], id="empty"),
        pytest.param("  \t", "blank", [], id="blanks-only"),
        pytest.param("aaa1 ", "blanks-around", ["aaa1"], id="blank-after"),
        pytest.param("\taaa1", "blanks-around", ["aaa1"], id="tab-before"),
        pytest.param("AAA1", "case", ["aaa1"], id="case"),
        pytest.param(" Aaa1\n", "case", ["aaa1"], id="case-and-blanks"),
        pytest.param("ccc3cccc", "partial", ["ccc3cccc3333"], id="partial"),
        pytest.param("CCC3CCCC", "partial", ["ccc3cccc3333"], id="partial-in-another-case"),
    ],
)
def test_a_malformed_row_speaks(row: str | None, wrong: str, fits: list[str]) -> None:
    (finding,) = find(version_table(row), HISTORY, target())

    assert finding.code == "AX306"
    assert finding.evidence == {"row": row, "wrong": wrong, "fits": fits}
    assert finding.repair.safety is Safety.SAFE


def test_a_row_as_long_as_the_column_was_truncated() -> None:
    (finding,) = find(version_table("ccc3cccc", column_width=8), HISTORY, target())

    assert finding.evidence["wrong"] == "truncated"


def test_where_several_fit_nothing_is_offered() -> None:
    several = history({"ccc3cccc3333": None, "ccc3cccc4444": "ccc3cccc3333"})
    (finding,) = find(version_table("ccc3cccc"), several, target())

    assert finding.evidence["fits"] == ["ccc3cccc3333", "ccc3cccc4444"]
    assert finding.repair.safety is Safety.MANUAL


def test_each_row_speaks_for_itself() -> None:
    assert [one.subject for one in find(version_table(None, "AAA1", "aaa1"), HISTORY, target())] == [
        "NULL",
        "'AAA1'",
    ]


@pytest.mark.parametrize(
    ("rows", "sql"),
    [
        pytest.param((None, "aaa1"), "DELETE FROM alembic_version WHERE version_num IS NULL;", id="null"),
        pytest.param(("", "aaa1"), "DELETE FROM alembic_version WHERE version_num = '';", id="blank"),
        pytest.param(
            ("AAA1",),
            "UPDATE alembic_version SET version_num = 'aaa1' WHERE version_num = 'AAA1';",
            id="case",
        ),
        pytest.param(
            ("AAA1", "bbb2bbbb2222"),
            "DELETE FROM alembic_version WHERE version_num = 'AAA1';",
            id="an-ancestor-is-not-written",
        ),
    ],
)
def test_the_sql_that_makes_it_right_is_shown(rows: tuple[str | None, ...], sql: str) -> None:
    (finding,) = find(version_table(*rows), HISTORY, target("postgresql://db1/shop"))

    assert [action.command for action in finding.next_actions] == [sql]


def test_where_several_fit_a_person_chooses() -> None:
    several = history({"ccc3cccc3333": None, "ccc3cccc4444": "ccc3cccc3333"})
    (finding,) = find(version_table("ccc3cccc"), several, target())

    assert [action.label for action in finding.next_actions] == [
        "if it is ccc3cccc3333:",
        "if it is ccc3cccc4444:",
    ]
