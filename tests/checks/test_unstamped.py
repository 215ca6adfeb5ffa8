"""AX302."""

from __future__ import annotations

import pytest

from alembic_ext.checks.unstamped import find
from alembic_ext.facts.created_tables import CreatedTables
from alembic_ext.facts.live_tables import LiveTables
from alembic_ext.facts.version_table import VersionTable, VersionTableElsewhere
from alembic_ext.findings import Finding
from tests.checks.facts import LINE, created_tables, history, live_tables, version_table

HISTORY = created_tables("t1", "t2")
ELSEWHERE = VersionTableElsewhere(name="old_version", schema="shop", rows=("ccc3",))


def found(
    table: VersionTable, *live: str, elsewhere: tuple[VersionTableElsewhere, ...] = ()
) -> list[Finding]:
    return list(find(table, elsewhere, live_tables(*live), history(LINE), HISTORY, frozenset()))


@pytest.mark.parametrize("row", ["ccc3", "unknown"])
def test_a_recorded_row_is_silent(row: str) -> None:
    assert found(version_table(row), "alembic_version", "t1", "t2") == []


def test_a_database_without_our_tables_is_silent() -> None:
    assert found(version_table(exists=False), "wp_posts") == []


def test_a_record_elsewhere_is_silent() -> None:
    """That is AX308."""
    assert found(version_table(exists=False), "t1", elsewhere=(ELSEWHERE,)) == []


def test_a_history_without_revisions_is_silent() -> None:
    assert (
        list(find(version_table(exists=False), (), live_tables("t1"), history({}), HISTORY, frozenset()))
        == []
    )


def test_a_foreign_version_table_elsewhere_excuses_nothing() -> None:
    other = VersionTableElsewhere(name="old_version", schema="shop", rows=("9af31c",))

    assert len(found(version_table(exists=False), "t1", elsewhere=(other,))) == 1


def test_our_tables_without_a_version_table_speak() -> None:
    (finding,) = found(version_table(exists=False), "t1", "t2", "wp_posts")

    assert finding.code == "AX302"
    assert finding.summary == (
        "2 tables of this history are there, but the version table alembic_version does not exist."
    )
    assert finding.evidence == {"exists": False, "tables": ["t1", "t2"]}


@pytest.mark.parametrize("row", [None, ""])
def test_a_row_without_an_id_is_silent(row: str | None) -> None:
    """That is AX306: the version table is not empty."""
    assert found(version_table(row), "alembic_version", "t1") == []


def test_a_backup_copy_beside_an_empty_version_table_is_mentioned() -> None:
    copy = VersionTableElsewhere(name="av2", schema="shop", rows=("bbb2",))
    (finding,) = found(version_table(), "alembic_version", "t1", elsewhere=(copy,))

    assert finding.details[-1] == "the table av2 holds bbb2: a copy, perhaps older"


def test_our_tables_beside_an_empty_version_table_speak() -> None:
    (finding,) = found(version_table(), "alembic_version", "t1")

    assert finding.evidence == {"exists": True, "tables": ["t1"]}


def test_a_server_that_stores_names_in_lower_case_is_understood() -> None:
    created = created_tables("Orders")
    (finding,) = find(
        version_table(exists=False), (), live_tables("orders"), history(LINE), created, frozenset()
    )

    assert finding.evidence["tables"] == ["orders"]


def test_a_table_in_another_schema_speaks() -> None:
    live = LiveTables(schema="public", names=frozenset({"t2"}), elsewhere=frozenset({("app", "t1")}))
    created = CreatedTables(
        names=frozenset({"t1", "t2"}), qualified=frozenset({("app", "t1"), ("app", "t2")}), complete=True
    )
    (finding,) = find(version_table(exists=False), (), live, history(LINE), lambda: created, frozenset())

    assert finding.evidence["tables"] == ["app.t1"]


@pytest.mark.parametrize("complete", [True, False])
def test_tables_of_the_models_count_where_the_files_name_none(complete: bool) -> None:  # noqa: FBT001 - a case
    created, models = created_tables(complete=complete), frozenset({(None, "users"), ("app", "orders")})
    live = live_tables("users", "wp_posts")
    (finding,) = find(version_table(exists=False), (), live, history(LINE), created, models)

    assert finding.evidence["tables"] == ["users"]
