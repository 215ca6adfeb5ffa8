"""AX308."""

from __future__ import annotations

import pytest

from alembic_ext.checks.version_table_elsewhere import find
from alembic_ext.facts.version_table import VersionTableElsewhere
from tests.checks.facts import LINE, history, version_table


def elsewhere(*rows: str, schema: str | None = "public") -> VersionTableElsewhere:
    return VersionTableElsewhere(name="alembic_version", schema=schema, rows=rows)


def test_nothing_elsewhere_is_silent() -> None:
    assert list(find(version_table(exists=False), (), history(LINE))) == []


def test_a_record_of_our_own_is_enough() -> None:
    assert list(find(version_table("ccc3"), (elsewhere("bbb2"),), history(LINE))) == []


@pytest.mark.parametrize("rows", [(), ("9af31c",)])
def test_a_table_without_a_row_of_this_history_is_silent(rows: tuple[str, ...]) -> None:
    assert list(find(version_table(exists=False), (elsewhere(*rows),), history(LINE))) == []


@pytest.mark.parametrize(("exists", "state"), [(False, "does not exist"), (True, "is empty")])
def test_our_record_elsewhere_speaks(exists: bool, state: str) -> None:  # noqa: FBT001 - a case
    used = version_table(exists=exists, schema="app")
    (finding,) = find(used, (elsewhere("ccc3", "other"),), history(LINE))

    assert finding.code == "AX308"
    assert finding.summary == (
        f"env.py uses app.alembic_version, which {state}; public.alembic_version holds ccc3, other."
    )
    assert finding.evidence == {
        "used": "app.alembic_version",
        "exists": exists,
        "found": "public.alembic_version",
        "rows": ["ccc3", "other"],
    }


def test_each_place_speaks() -> None:
    """Which one is right only a person knows."""
    both = (elsewhere("ccc3"), elsewhere("aaa1", schema=None))

    assert [one.subject for one in find(version_table(exists=False), both, history(LINE))] == [
        "public.alembic_version",
        "alembic_version",
    ]


@pytest.mark.parametrize(
    ("name", "exists", "speaks"),
    [
        pytest.param("av2", True, False, id="a-backup-copy"),
        pytest.param("av2", False, True, id="another-name-and-no-table"),
        pytest.param("Alembic_Version", True, True, id="another-case"),
        pytest.param("shop_version", True, True, id="a-renamed-one"),
    ],
)
def test_a_copy_beside_an_empty_version_table_is_silent(
    name: str,
    exists: bool,  # noqa: FBT001 - a case
    speaks: bool,  # noqa: FBT001
) -> None:
    """That is AX302."""
    other = VersionTableElsewhere(name=name, schema="main", rows=("ccc3",))

    assert bool(list(find(version_table(exists=exists), (other,), history(LINE)))) is speaks


def test_a_version_table_with_a_blank_row_only_is_not_called_empty() -> None:
    (finding,) = find(version_table(""), (elsewhere("ccc3"),), history(LINE))

    assert "alembic_version, which holds no id;" in finding.summary
