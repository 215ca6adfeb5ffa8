"""AX210."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.empty_baseline import find
from alembic_ext.facts.created_tables import created_tables
from alembic_ext.facts.models import Models
from alembic_ext.findings import Finding
from tests.revisions import Environment


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def found(environment: Environment, *tables: str) -> list[Finding]:
    files = environment.files()
    return list(find(files, environment.history(), Models(tables), lambda: created_tables(files)))


def test_a_baseline_that_does_nothing_leaves_the_models_without_tables(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a", upgrade="op.create_table('orders', sa.Column('id', sa.Integer))")
    (finding,) = found(environment, "orders", "users")

    assert finding.summary == "The first revision a does nothing, and no revision creates users."
    assert finding.evidence == {"revision": "a", "never_created": ["users"]}


def test_an_empty_start_is_fine_when_later_revisions_create_the_tables(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a", upgrade="op.create_table('users', sa.Column('id', sa.Integer))")

    assert found(environment, "users") == []


def test_models_without_tables_need_none(environment: Environment) -> None:
    environment.add("a")

    assert found(environment) == []


def test_a_baseline_that_does_something_is_not_empty(environment: Environment) -> None:
    environment.add("a", upgrade="op.create_table('users', sa.Column('id', sa.Integer))")

    assert found(environment, "users", "orders") == []


def test_what_may_create_tables_unseen_is_given_the_benefit(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a", upgrade="from app import build\nbuild(op)")

    assert found(environment, "users") == []


def test_a_file_without_its_parent_is_no_baseline(environment: Environment) -> None:
    environment.add("b", "gone")

    assert found(environment, "users") == []


def test_tables_that_env_py_keeps_from_autogenerate_are_not_missed(environment: Environment) -> None:
    environment.add("a")
    files = environment.files()
    models = Models(("spatial_ref_sys",), excluded=frozenset({"spatial_ref_sys"}))

    assert list(find(files, environment.history(), models, lambda: created_tables(files))) == []


def test_a_file_with_sql_may_create_the_tables(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a", upgrade="op.execute(open('schema.sql').read())")

    assert found(environment, "users") == []
