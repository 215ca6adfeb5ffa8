"""
## What it does
Reports a `version_num` column that is narrower than the id of a revision at or below the recorded ones. Ids that
are still to be applied are AX207.

## Why is this bad?
A downgrade to that revision, or another environment at it, stops at the insert, or stores a truncated id where
the server is not strict.

## Example
The database was restored into a table created by hand with `VARCHAR(32)`.

## Repair
Widening the column changes no row and no user table.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Location, Repair, Safety, Severity

check = Check(module=__name__, code="AX309", severity=Severity.WARNING, safety=Safety.SAFE)


@check.rule
def find(version_table: VersionTable, history: History) -> Iterator[Finding]:
    width = version_table.column_width
    if not version_table.exists or not version_table.width_enforced or width is None:
        return
    too_long = sorted(one for one in history.ancestors(version_table.ids) if len(one) > width)
    if not too_long:
        return
    longest = max(too_long, key=len)
    yield check.finding(
        subject=version_table.name,
        summary=f"{version_table.name}.version_num holds {width} characters; {longest} has {len(longest)}.",
        why="A database cannot be recorded at that revision.",
        evidence={"width": width, "ids": too_long},
        location=Location(table=version_table.name, column="version_num"),
        repair=Repair(safety=Safety.SAFE),
    )
