"""
## What it does
Compares the table names of `target_metadata` with those of the live tables that this history created. Reports
metadata without any table, and metadata that lacks more than half of those tables. Tables that env.py keeps from autogenerate (`include_name`,
`include_object`, another schema without `include_schemas`) do not count.

## Why is this bad?
`alembic revision --autogenerate` would write `op.drop_table(...)` for every table that is not loaded, with
exit code 0.

## Example
env.py imports `Base`, but not the modules that define the models; a linter removed the "unused" imports.

## Repair
None by us: import the modules that define the models in env.py, before `target_metadata` is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.created_tables import CreatedTables
from alembic_ext.facts.live_tables import LiveTables, tables_of_project
from alembic_ext.facts.models import Models
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, NextAction, Severity

check = Check(module=__name__, code="AX114", severity=Severity.ERROR)

SHOWN = 10


@check.rule
def find(
    models: Models,
    live_tables: LiveTables,
    version_table: VersionTable,
    created_tables: Callable[[], CreatedTables],
) -> Iterator[Finding]:
    loaded = {name.lower() for name in models.tables}
    there = {*live_tables.names, *(name for _, name in live_tables.elsewhere)}
    if {name.lower() for name in there} <= {*loaded, version_table.name.lower()}:
        return
    ours = sorted(tables_of_project(live_tables, version_table, created_tables()) - models.excluded)
    missing = [name for name in ours if name.rpartition(".")[2].lower() not in loaded]
    if not ours or len(missing) * 2 <= len(ours):
        return
    has = f"only {len(models.tables)}" if models.tables else "no"
    yield check.finding(
        subject="target_metadata",
        summary=f"target_metadata has {has} tables; {len(missing)} of {len(ours)} tables of this history are not in it.",
        why="Autogenerate would drop every table that is not loaded.",
        evidence={"models": len(models.tables), "missing": missing, "tables": ours},
        details=tuple(f"not loaded: {name}" for name in missing[:SHOWN])
        + ((f"... and {len(missing) - SHOWN} more",) if len(missing) > SHOWN else ()),
        next_actions=(
            NextAction(kind="edit-file", label="Import the modules that define these models in env.py."),
        ),
    )
