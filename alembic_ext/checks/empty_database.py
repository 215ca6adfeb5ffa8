"""
## What it does
Says that the version table is absent or empty and no table of this history is there: nothing has happened yet.
Where the text of the revision files does not tell which tables they create, it says that instead.

## Why is this bad?
It is not, for a new database. For one that should hold data it means that another database was named.

## Example
The first run in a new environment.

## Repair
None needed for a new database: `alembic upgrade head`. Where other tables are there, first make sure that this is
the database that was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.created_tables import CreatedTables
from alembic_ext.facts.history import History
from alembic_ext.facts.live_tables import LiveTables, tables_of_project
from alembic_ext.facts.target import Target, address
from alembic_ext.facts.version_table import VersionTable, VersionTableElsewhere, may_be_meant, of_this_history
from alembic_ext.findings import Finding, NextAction, Severity

check = Check(module=__name__, code="AX303", severity=Severity.INFO)


@check.rule
def find(
    version_table: VersionTable,
    version_tables_elsewhere: tuple[VersionTableElsewhere, ...],
    live_tables: LiveTables,
    history: History,
    created_tables: Callable[[], CreatedTables],
    model_tables: frozenset[tuple[str | None, str]],
    target: Target,
) -> Iterator[Finding]:
    if version_table.rows or not history.revisions:
        return
    if any(
        may_be_meant(other, version_table) for other in of_this_history(version_tables_elsewhere, history)
    ):
        return
    created = created_tables()
    if tables_of_project(live_tables, version_table, created, model_tables):
        return
    others = len(live_tables.names - {version_table.name}) + len(live_tables.elsewhere)
    there = f"{others} other tables are" if others > 1 else "one other table is" if others else "nothing is"
    summary = f"No revision is recorded and no table of this history is there ({there} in it)."
    action = NextAction(
        kind="run-command",
        label="build it",
        command=f"alembic upgrade {'heads' if len(history.effective_heads) > 1 else 'head'}",
    )
    if others:
        source = (target.source.via or target.source.kind) + (
            f", key {target.source.key}" if target.source.key else ""
        )
        action = NextAction(
            kind="choose", label=f"Is this the right database? {address(target)} came from {source}."
        )
    actions: tuple[NextAction, ...] = (action,)
    if others and not created.complete:
        summary = f"No revision is recorded; {there} there, and the revision files do not tell whether it is theirs."
        lost = NextAction(
            kind="choose", label="Are they this application's? Then the record is lost: see AX302."
        )
        actions = (action, lost)
    yield check.finding(
        subject=live_tables.schema or "database",
        summary=summary,
        why="A new database is empty; one that should hold data is not this one.",
        evidence={"other_tables": others},
        next_actions=actions,
    )
