"""
## What it does
Where the version table that env.py uses is absent or holds no id, looks for a table with a `version_num` column in other
schemas, and under another case or name, whose rows are revisions of this history. PostgreSQL: every schema of
the database. MySQL and MariaDB: every table of the database, and in other databases tables called like a version
table in any case, unless that database holds other tables too: then it is one of its own, as the staging database
beside the one for development is. Beside an empty version table, one of quite another name is taken for a backup
copy, and AX302 speaks.
Where env.py itself chooses the schema (`version_table_schema`, `schema_translate_map`, a search path that it sets),
as it does for each tenant, a schema with tables of this history beside its record is another tenant's.

## Why is this bad?
`current` prints nothing, and `upgrade head` builds everything a second time, or stops half-way.

## Example
`search_path` was changed; a dump from a file system without case brought `Alembic_Version`; `version_table` was
renamed in env.py.

## Repair
None by us: point `version_table` and `version_table_schema` at the table that holds the record. Two such tables
are never merged by a tool.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.version_table import VersionTable, VersionTableElsewhere, may_be_meant, of_this_history
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX308", severity=Severity.ERROR)


@check.rule
def find(
    version_table: VersionTable, version_tables_elsewhere: tuple[VersionTableElsewhere, ...], history: History
) -> Iterator[Finding]:
    if version_table.ids:
        return
    for other in of_this_history(version_tables_elsewhere, history):
        if not may_be_meant(other, version_table):
            continue
        place = f"{other.schema}.{other.name}" if other.schema else other.name
        used = f"{version_table.schema}.{version_table.name}" if version_table.schema else version_table.name
        state = "does not exist" if not version_table.exists else "is empty"
        if version_table.rows:
            state = "holds no id"
        yield check.finding(
            subject=place,
            summary=f"env.py uses {used}, which {state}; {place} holds {', '.join(other.rows)}.",
            why="upgrade head would start from nothing, beside or on top of what is there.",
            evidence={"used": used, "exists": version_table.exists, "found": place, "rows": list(other.rows)},
            location=Location(table=place),
            next_actions=(
                NextAction(
                    kind="edit-file", label="Point version_table and version_table_schema in env.py at it."
                ),
            ),
        )
