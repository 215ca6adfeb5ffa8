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
from alembic_ext.facts.row_statements import delete_rows, keep_one
from alembic_ext.facts.target import Target
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

check = Check(module=__name__, code="AX305", severity=Severity.ERROR, safety=Safety.SAFE)


@check.rule
def find(version_table: VersionTable, history: History, target: Target) -> Iterator[Finding]:
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
        next_actions=_next(version_table, target.dialect, below, [row for row in twice if row not in below]),
    )


def _next(used: VersionTable, dialect: str, below: list[str], twice: list[str]) -> tuple[NextAction, ...]:
    """One piece of SQL that does it all; deleting an ancestor deletes its copies too."""
    statements = [keep_one(used, dialect, row) for row in twice]
    if below:
        statements.insert(0, delete_rows(used, dialect, below))
    return (
        NextAction(
            kind="choose",
            label="run this in the database, while no migration runs:",
            command="\n".join(statements),
        ),
    )


def _above(row: str, rows: Counter[str], history: History) -> str:
    return ", ".join(
        sorted(other for other in rows if other in history.revisions and history.is_ancestor(row, other))
    )
