"""
## What it does
Reports ids of revisions still to be applied that are longer than the `version_num` column of this database; 32
characters where the version table is still to be created. Silent on SQLite, which does not enforce a width.
Ids at or below the recorded revision are AX309.

## Why is this bad?
The upgrade fails when it records the revision. MySQL and MariaDB have run its DDL by then, and where they are not
strict they store a truncated id and report success.

## Example
`revision = "20260626_001_add_run_timeline_tables"`, 36 characters, tested on SQLite only.

## Repair
Widening the column changes no row and no user table. As long as no database has run the revision, a shorter id
works as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

check = Check(module=__name__, code="AX207", severity=Severity.ERROR, safety=Safety.SAFE)


@check.rule
def find(revision_files: RevisionFiles, history: History, version_table: VersionTable) -> Iterator[Finding]:
    width = version_table.effective_width
    if width is None:
        return
    applied = history.ancestors(_recorded(version_table, history))
    too_long = [
        file for file in revision_files.files if len(file.revision) > width and file.revision not in applied
    ]
    if not too_long:
        return
    ids = sorted({file.revision for file in too_long}, key=lambda one: (-len(one), one))
    more = f" (and {len(ids) - 1} more)" if len(ids) > 1 else ""
    yield check.finding(
        subject=ids[0],
        summary=f"The id {ids[0]}{more} has {len(ids[0])} characters; {version_table.name}.version_num holds {width}.",
        why="The upgrade fails when it records the revision, or stores a truncated id.",
        evidence={"width": width, "ids": ids, "table_exists": version_table.exists},
        location=Location(
            path=too_long[0].path, line=too_long[0].line, table=version_table.name, column="version_num"
        ),
        details=tuple(f"{one}  {len(one)} characters" for one in ids[1:]),
        repair=Repair(safety=Safety.SAFE),
        next_actions=(
            NextAction(kind="choose", label="widen the column, or shorten the id if no database has run it"),
        ),
    )


def _recorded(version_table: VersionTable, history: History) -> Iterator[str]:
    """The revisions that the rows stand for, completed as Alembic completes them."""
    for row in version_table.ids:
        meant = history.resolve_prefix(row)
        if len(meant) == 1:
            yield meant[0]
