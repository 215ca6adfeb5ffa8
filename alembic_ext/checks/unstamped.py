"""
## What it does
Reports a database that holds tables of this history while the version table is absent or empty. A version table
that lies elsewhere is AX308, rows that are blank or NULL are AX306, and then this check is silent.

## Why is this bad?
`alembic upgrade head` starts from nothing and stops at "table already exists"; `alembic current` prints nothing,
as it does for an empty database.

## Example
The tables were created by `create_all()` when the application started, or a dump was restored without the
version table.

## Repair
Stamping the one revision whose schema is proven equal. `stamp head` without that proof makes every later
migration that was never run count as applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.created_tables import CreatedTables
from alembic_ext.facts.history import History
from alembic_ext.facts.live_tables import LiveTables, tables_of_project
from alembic_ext.facts.version_table import VersionTable, VersionTableElsewhere, may_be_meant, of_this_history
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

check = Check(module=__name__, code="AX302", severity=Severity.ERROR, safety=Safety.SAFE)

SHOWN = 8


@check.rule
def find(
    version_table: VersionTable,
    version_tables_elsewhere: tuple[VersionTableElsewhere, ...],
    live_tables: LiveTables,
    history: History,
    created_tables: Callable[[], CreatedTables],
    model_tables: frozenset[tuple[str | None, str]],
) -> Iterator[Finding]:
    if version_table.rows or not history.revisions:
        return
    copies = of_this_history(version_tables_elsewhere, history)
    if any(may_be_meant(other, version_table) for other in copies):
        return
    ours = sorted(tables_of_project(live_tables, version_table, created_tables(), model_tables))
    if not ours:
        return
    state = "is empty" if version_table.exists else "does not exist"
    yield check.finding(
        subject=version_table.name,
        summary=f"{len(ours)} tables of this history are there, but the version table {version_table.name} {state}.",
        why="upgrade head would start from nothing and stop at the first table that already exists.",
        evidence={"exists": version_table.exists, "tables": ours},
        location=Location(table=version_table.name),
        details=(
            f"there: {', '.join(ours[:SHOWN])}{' ...' if len(ours) > SHOWN else ''}",
            *(
                f"the table {other.name} holds {', '.join(other.rows)}: a copy, perhaps older"
                for other in copies
            ),
        ),
        repair=Repair(safety=Safety.MANUAL),
        next_actions=(
            NextAction(
                kind="choose",
                label="Find the revision whose schema is really there, then stamp that one: alembic stamp REVISION",
            ),
        ),
    )
