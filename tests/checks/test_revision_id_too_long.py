"""AX207."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.revision_id_too_long import find
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Safety
from tests.revisions import Environment

LONG = "20260626_001_add_run_timeline_tables"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    found = Environment(tmp_path)
    found.add("a")
    found.add(LONG, "a")
    found.add("c", LONG)
    return found


def found(environment: Environment, table: VersionTable) -> list[Finding]:
    return list(find(environment.files(), environment.history(), table))


def table(*rows: str, width: int | None = 32, exists: bool = True, enforced: bool = True) -> VersionTable:
    return VersionTable(
        name="alembic_version", exists=exists, rows=rows, column_width=width, width_enforced=enforced
    )


@pytest.mark.parametrize(
    "version_table",
    [
        pytest.param(table("a"), id="pending"),
        pytest.param(table(width=None, exists=False), id="no-table-yet"),
        pytest.param(table("gone"), id="recorded-elsewhere"),
        pytest.param(table("a", width=35), id="one-too-narrow"),
    ],
)
def test_a_pending_id_that_does_not_fit_is_named(
    environment: Environment, version_table: VersionTable
) -> None:
    (finding,) = found(environment, version_table)

    assert finding.subject == LONG
    assert finding.evidence["ids"] == [LONG]
    assert finding.evidence["width"] == version_table.effective_width
    assert finding.repair.safety is Safety.SAFE


@pytest.mark.parametrize(
    "version_table",
    [
        pytest.param(table("c"), id="applied"),
        pytest.param(table(LONG), id="recorded"),
        pytest.param(table(LONG[:32]), id="recorded-truncated"),
        pytest.param(table("a", width=36), id="fits"),
        pytest.param(table("a", width=None), id="no-limit"),
        pytest.param(table("a", width=None, enforced=False), id="sqlite"),
        pytest.param(table(width=None, exists=False, enforced=False), id="sqlite-without-table"),
    ],
)
def test_otherwise_it_is_silent(environment: Environment, version_table: VersionTable) -> None:
    assert found(environment, version_table) == []
