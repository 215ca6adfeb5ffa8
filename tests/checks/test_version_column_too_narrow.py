"""AX309."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_ext.checks.version_column_too_narrow import find
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Safety, Severity
from tests.checks.facts import history, version_table

HISTORY = history(
    {"aaa1": None, "bbb2_add_orders": "aaa1", "ccc3": "bbb2_add_orders", "ddd4_add_bills": "ccc3"}
)


def table(row: str = "ccc3", **known: Any) -> VersionTable:
    return version_table(row, **{"column_width": 8, **known})


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(table(column_width=15), id="wide-enough"),
        pytest.param(table(column_width=None), id="without-a-limit"),
        pytest.param(table(width_enforced=False), id="sqlite"),
        pytest.param(table(exists=False), id="no-table-yet"),
        pytest.param(table("aaa1"), id="the-long-ids-are-pending"),
        pytest.param(table("unknown"), id="nothing-known-is-recorded"),
    ],
)
def test_a_column_that_holds_what_was_applied_is_silent(record: VersionTable) -> None:
    assert list(find(record, HISTORY)) == []


def test_an_applied_id_that_does_not_fit_speaks() -> None:
    """The pending ddd4_add_bills is AX207's."""
    (finding,) = find(table(), HISTORY)

    assert (finding.code, finding.severity) == ("AX309", Severity.WARNING)
    assert finding.summary == "alembic_version.version_num holds 8 characters; bbb2_add_orders has 15."
    assert finding.evidence == {"width": 8, "ids": ["bbb2_add_orders"]}
    assert finding.repair.safety is Safety.SAFE


def test_the_recorded_id_itself_counts() -> None:
    (finding,) = find(table("ddd4_add_bills"), HISTORY)

    assert finding.evidence["ids"] == ["bbb2_add_orders", "ddd4_add_bills"]
