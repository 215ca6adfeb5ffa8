"""AX114."""

from __future__ import annotations

import pytest

from alembic_ext.checks.models_not_loaded import find
from alembic_ext.facts.created_tables import CreatedTables
from alembic_ext.facts.live_tables import LiveTables
from alembic_ext.facts.models import Models
from alembic_ext.findings import Finding
from tests.checks.facts import created_tables, live_tables, version_table

LIVE = live_tables("alembic_version", "t1", "t2", "t3", "t4")
HISTORY = created_tables("t1", "t2", "t3", "t4")


def found(models: tuple[str, ...], live: tuple[str, ...] | None = None) -> list[Finding]:
    there = LIVE if live is None else live_tables(*live)
    return list(find(Models(models), there, version_table("ccc3"), HISTORY))


@pytest.mark.parametrize(
    "models",
    [
        pytest.param(("t1", "t2", "t3", "t4"), id="all"),
        pytest.param(("t1", "t2", "t3"), id="all-but-one"),
        pytest.param(("t1", "t2"), id="half"),
        pytest.param(("T1", "T2", "T3", "T4"), id="in-another-case"),
    ],
)
def test_models_that_know_most_tables_are_silent(models: tuple[str, ...]) -> None:
    assert found(models) == []


def test_tables_of_others_are_silent() -> None:
    """The history did not create them, so no model is missing."""
    assert found(("t1",), ("alembic_version", "t1", "spatial_ref_sys", "wp_posts", "wp_users")) == []


def test_an_empty_database_is_silent() -> None:
    assert found((), ()) == []


def test_no_models_at_all_speak() -> None:
    (finding,) = found(())

    assert finding.code == "AX114"
    assert finding.summary == "target_metadata has no tables; 4 of 4 tables of this history are not in it."
    assert finding.evidence == {
        "models": 0,
        "missing": ["t1", "t2", "t3", "t4"],
        "tables": ["t1", "t2", "t3", "t4"],
    }


def test_few_models_speak() -> None:
    (finding,) = found(("t1",))

    assert (
        finding.summary == "target_metadata has only 1 tables; 3 of 4 tables of this history are not in it."
    )


def test_models_of_other_tables_do_not_make_up_for_missing_ones() -> None:
    (finding,) = found(tuple(f"other{n}" for n in range(9)), (*LIVE.names, *(f"other{n}" for n in range(9))))

    assert finding.evidence["missing"] == ["t1", "t2", "t3", "t4"]


def test_the_revision_files_are_not_read_where_every_table_has_its_model() -> None:
    """Reading thousands of them takes a while."""

    def never() -> CreatedTables:
        raise AssertionError("the revision files were read")

    assert list(find(Models(("t1", "t2", "t3", "t4")), LIVE, version_table("ccc3"), never)) == []


def test_tables_that_env_py_keeps_from_autogenerate_are_silent() -> None:
    models = Models(("t1",), excluded=frozenset({"t2", "t3", "t4"}))

    assert list(find(models, LIVE, version_table("ccc3"), HISTORY)) == []


def test_tables_in_another_schema_speak() -> None:
    live = LiveTables(schema="public", names=frozenset(), elsewhere=frozenset({("app", "t1")}))
    created = CreatedTables(names=frozenset({"t1"}), qualified=frozenset({("app", "t1")}), complete=True)
    (finding,) = find(Models(()), live, version_table("ccc3"), lambda: created)

    assert finding.evidence["missing"] == ["app.t1"]
    assert list(find(Models(("t1",)), live, version_table("ccc3"), lambda: created)) == []
