"""The target metadata, and what env.py keeps from autogenerate."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import MetaData, Table

from alembic_ext.facts.live_tables import LiveTables
from alembic_ext.facts.models import Models, excluded_tables, read_models

METADATA = MetaData()
Table("mine", METADATA)
Table("mine_too", METADATA, schema="app")
LIVE = LiveTables(
    schema="public",
    names=frozenset({"mine", "other"}),
    elsewhere=frozenset({("app", "mine_too"), ("app", "x")}),
)


def fails(*_: Any) -> bool:
    raise RuntimeError


def test_each_table_is_known_with_its_schema() -> None:
    assert read_models({"target_metadata": [METADATA]}) == Models(
        ("mine", "mine_too"), frozenset({(None, "mine"), ("app", "mine_too")})
    )


@pytest.mark.parametrize(
    ("options", "excluded"),
    [
        ({}, set()),
        ({"include_name": fails, "include_object": fails}, set()),
        ({"include_name": lambda name, kind, parents: name != "other"}, {"other"}),
        (
            {"include_name": lambda name, kind, parents: parents["schema_name"] is None},
            {"app.mine_too", "app.x"},
        ),
        (
            {"include_name": lambda name, kind, parents: parents["schema_qualified_table_name"] != "app.x"},
            {"app.x"},
        ),
        ({"include_object": lambda item, name, kind, reflected, to: not reflected}, {"other", "app.x"}),
        (
            {"include_object": lambda item, name, kind, reflected, to: item is not METADATA.tables["mine"]},
            {"mine"},
        ),
    ],
)
def test_env_pys_own_functions_are_asked(options: dict[str, Any], excluded: set[str]) -> None:
    asked = {"target_metadata": METADATA, "include_schemas": True, **options}

    assert excluded_tables(asked, LIVE) == excluded


def test_other_schemas_count_with_include_schemas_only() -> None:
    assert excluded_tables({"target_metadata": METADATA}, LIVE) == {"app.mine_too", "app.x"}
