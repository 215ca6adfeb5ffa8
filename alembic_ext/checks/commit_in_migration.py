"""
## What it does
Reports a migration that commits the migration's own connection: `op.get_bind().commit()`, also through a name, or
the statement `COMMIT`. A Session bound to that connection joins its transaction and does not commit it, and
`op.get_context().autocommit_block()` is the right way: both are silent.

## Why is this bad?
The transaction that Alembic opened ends there. What follows, the new version number too, is rolled back or never
recorded, with exit code 0; on a failure later on, nothing is taken back.

## Example
`connection = op.get_bind()`, some updates, then `connection.commit()`, as a script of one's own would do.

## Repair
None by us: remove the commit; use `with op.get_context().autocommit_block():` where a statement must run outside
a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from alembic_ext.checks.check import Check
from alembic_ext.facts.commits import MigrationCommit
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX211", severity=Severity.WARNING)


@check.rule
def find(commits: tuple[MigrationCommit, ...]) -> Iterator[Finding]:
    for path, group in groupby(commits, key=lambda commit: commit.path):
        places = sorted(group, key=lambda commit: commit.line)
        first = places[0]
        yield check.finding(
            subject=first.revision,
            summary=f"{path.name} commits the migration's own connection: {first.code}, line {first.line}.",
            why="What follows, the version number too, may be lost or left unrecorded, with exit code 0.",
            evidence={
                "revision": first.revision,
                "places": [{"line": place.line, "code": place.code} for place in places],
            },
            location=Location(path=path, line=first.line),
            details=tuple(f"line {place.line}: {place.code}" for place in places[1:]),
            next_actions=(
                NextAction(
                    kind="edit-file",
                    label="remove the commit, or use `with op.get_context().autocommit_block():`",
                ),
            ),
        )
