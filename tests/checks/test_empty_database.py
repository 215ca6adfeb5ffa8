"""AX303."""

from __future__ import annotations

import pytest

from alembic_ext.checks.empty_database import find
from alembic_ext.facts.live_tables import LiveTables
from alembic_ext.facts.version_table import VersionTable, VersionTableElsewhere
from alembic_ext.findings import Finding, Severity
from tests.checks.facts import LINE, created_tables, history, live_tables, target, version_table

HISTORY = created_tables("t1", "t2")


def found(
    table: VersionTable, *live: str, elsewhere: tuple[VersionTableElsewhere, ...] = ()
) -> list[Finding]:
    return list(find(table, elsewhere, live_tables(*live), history(LINE), HISTORY, frozenset(), target()))


def test_a_recorded_row_is_silent() -> None:
    assert found(version_table("ccc3"), "alembic_version") == []


def test_tables_of_this_history_are_silent() -> None:
    """That is AX302."""
    assert found(version_table(exists=False), "t1") == []


def test_a_record_elsewhere_is_silent() -> None:
    elsewhere = VersionTableElsewhere(name="old_version", schema="shop", rows=("ccc3",))

    assert found(version_table(exists=False), elsewhere=(elsewhere,)) == []


def test_a_history_without_revisions_is_silent() -> None:
    assert (
        list(
            find(version_table(exists=False), (), live_tables(), history({}), HISTORY, frozenset(), target())
        )
        == []
    )


@pytest.mark.parametrize(
    ("table", "live", "there"),
    [
        pytest.param(version_table(exists=False), (), "nothing is", id="nothing"),
        pytest.param(version_table(), ("alembic_version",), "nothing is", id="an-empty-version-table"),
        pytest.param(version_table(exists=False), ("wp_posts",), "one other table is", id="one-table"),
        pytest.param(version_table(exists=False), ("wp_a", "wp_b"), "2 other tables are", id="two-tables"),
    ],
)
def test_a_database_without_anything_of_ours_speaks(
    table: VersionTable, live: tuple[str, ...], there: str
) -> None:
    (finding,) = found(table, *live)

    assert (finding.code, finding.severity) == ("AX303", Severity.INFO)
    assert finding.summary == (
        f"No revision is recorded and no table of this history is there ({there} in it)."
    )
    commands = [action.command for action in finding.next_actions]
    assert commands == (["alembic upgrade head"] if there == "nothing is" else [None])


def test_beside_the_tables_of_others_the_first_question_is_whether_this_is_the_right_database() -> None:
    (finding,) = found(version_table(exists=False), "wp_posts", "wp_users")

    assert finding.next_actions[0].label == (
        "Is this the right database? mysql app@db1/shop came from sqlalchemy.url, key sqlalchemy.url."
    )


def test_a_row_without_an_id_is_silent() -> None:
    """That is AX306."""
    assert found(version_table(""), "alembic_version") == []


def test_several_heads_need_heads() -> None:
    fork = history({**LINE, "ddd4": "bbb2"})
    (finding,) = find(version_table(exists=False), (), live_tables(), fork, HISTORY, frozenset(), target())

    assert finding.next_actions[0].command == "alembic upgrade heads"


def test_no_table_is_called_foreign_where_the_files_do_not_tell_what_they_create() -> None:
    vague = created_tables(complete=False)
    (finding,) = find(
        version_table(exists=False), (), live_tables("t1"), history(LINE), vague, frozenset(), target()
    )

    assert finding.summary == (
        "No revision is recorded; one other table is there, and the revision files do not tell whether it is theirs."
    )
    assert finding.next_actions[0].command is None


def test_tables_of_the_models_are_silent() -> None:
    """That is AX302."""
    models = frozenset({(None, "users")})
    vague = created_tables(complete=False)

    assert (
        list(
            find(
                version_table(exists=False), (), live_tables("users"), history(LINE), vague, models, target()
            )
        )
        == []
    )


def test_tables_in_another_schema_that_the_files_name_are_counted() -> None:
    live = LiveTables(schema=None, names=frozenset(), elsewhere=frozenset({("app", "x")}))
    (finding,) = find(version_table(exists=False), (), live, history(LINE), HISTORY, frozenset(), target())

    assert "one other table is" in finding.summary
