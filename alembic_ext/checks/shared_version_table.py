"""
## What it does
Reports a version table that holds rows of this history and rows that another Alembic environment declares.

## Why is this bad?
Each application takes the other's row for an unknown revision and stops. `stamp --purge`, the usual advice,
erases the other application's record.

## Example
Two packages with the default table name `alembic_version` were pointed at one database.

## Repair
None by us: give one of them a `version_table` of its own in `context.configure()`, and move its row there while
neither is migrating. Changing only the option makes Alembic start that history from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.lost_revisions import LostRevision
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX307", severity=Severity.ERROR)


@check.rule
def find(
    version_table: VersionTable, history: History, lost_revisions: Mapping[str, LostRevision]
) -> Iterator[Finding]:
    ours = [row for row in version_table.ids if row in history.revisions]
    theirs = [row for row, lost in lost_revisions.items() if lost.case == "other-application"]
    if not ours or not theirs:
        return
    environments = sorted(
        {place.environment for row in theirs for place in lost_revisions[row].places if place.environment}
    )
    yield check.finding(
        subject=version_table.name,
        summary=(
            f"The version table {version_table.name} is shared: {', '.join(theirs)} belongs to "
            f"{', '.join(environments) or 'another application'}."
        ),
        why="Each application stops at the other's row.",
        evidence={"ours": ours, "theirs": theirs, "environments": environments},
        location=Location(table=version_table.name),
        next_actions=(
            NextAction(
                kind="edit-file", label="Give one of them its own version_table, and move its row there."
            ),
        ),
    )
