"""
## What it does
Reports a row of the version table that is an ancestor of another row, and an id that is there twice. Several rows
that are heads of different branches are right, and not reported.

## Why is this bad?
`upgrade` stops with "Requested revision ... overlaps with other requested revisions", or "expected to match one
row", while `current` shows only the newer row.

## Example
Two processes upgraded at once on a table without a primary key, or a row was inserted by hand.

## Repair
Removing the ancestors and the duplicates, and nothing else, says the same and works again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Location, Repair, Safety, Severity

check = Check(module=__name__, code="AX305", severity=Severity.ERROR, safety=Safety.SAFE)


@check.rule
def find(version_table: VersionTable, history: History) -> Iterator[Finding]:
    rows = Counter(version_table.ids)
    twice = sorted(row for row, times in rows.items() if times > 1)
    below = sorted(
        row
        for row in rows
        if row in history.revisions
        and any(history.is_ancestor(row, other) for other in rows if other in history.revisions)
    )
    if not twice and not below:
        return
    said = [f"{row} is there {rows[row]} times" for row in twice]
    said += [f"{row} is an ancestor of {_above(row, rows, history)}" for row in below]
    yield check.finding(
        subject=(below or twice)[0],
        summary=f"The version table holds rows that overlap: {'; '.join(said)}.",
        why="upgrade stops at them, while current shows only the newest.",
        evidence={
            "rows": list(version_table.rows),
            "ancestors": below,
            "duplicates": twice,
            "right": sorted(row for row in rows if row not in below),
        },
        location=Location(table=version_table.name, column="version_num"),
        repair=Repair(safety=Safety.SAFE),
    )


def _above(row: str, rows: Counter[str], history: History) -> str:
    return ", ".join(
        sorted(other for other in rows if other in history.revisions and history.is_ancestor(row, other))
    )
