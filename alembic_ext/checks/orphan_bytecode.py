"""
## What it does
Reports a `.pyc` in a version location whose source is gone. With `sourceless = true` Alembic loads it, as a
revision of its own; otherwise it is a leftover, and those of a location are reported together. A location that
holds no source at all was shipped that way and is healthy under `sourceless`.

## Why is this bad?
A deleted revision lives on: it still is in the history, with an id that no file shows. A leftover does so as soon
as `sourceless` is switched on.

## Example
A branch was switched, its revision file went away, and `versions/__pycache__` kept the bytecode.

## Repair
Deleting the bytecode, after a copy was put away where a database may be at its revision (AX301): bytecode can be
the last trace of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from alembic_ext.checks.check import Check
from alembic_ext.facts.revision_files import OrphanBytecode, RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

check = Check(module=__name__, code="AX208", severity=Severity.WARNING, safety=Safety.UNSAFE)


@check.rule
def find(revision_files: RevisionFiles) -> Iterator[Finding]:
    orphans = sorted(revision_files.orphan_bytecode, key=lambda one: (not one.loaded, str(one.path)))
    for one in orphans:
        if one.loaded:
            yield _finding(
                [one],
                f"{one.path.name} has no source, and Alembic loads it as revision {one.revision or 'unknown'}.",
            )
    left = [one for one in orphans if not one.loaded]
    for location, group in groupby(left, key=lambda one: one.location):
        found = list(group)
        count = "One .pyc has" if len(found) == 1 else f"{len(found)} .pyc files have"
        yield _finding(found, f"{count} no source any more in {location.name}: {found[0].path.name}.")


def _finding(orphans: list[OrphanBytecode], summary: str) -> Finding:
    return check.finding(
        subject=orphans[0].path.name,
        summary=summary,
        why="A deleted revision lives on in bytecode.",
        evidence={
            "files": [str(one.path) for one in orphans],
            "revisions": [one.revision for one in orphans],
            "loaded": orphans[0].loaded,
        },
        location=Location(path=orphans[0].path),
        details=tuple(f"{one.path.name}  revision {one.revision or 'unknown'}" for one in orphans),
        repair=Repair(safety=Safety.UNSAFE),
        next_actions=(
            NextAction(
                kind="edit-file",
                label="copy it away first: it may be all that is left of a revision that a database is at "
                "(AX301); then delete it",
                safety=Safety.UNSAFE,
            ),
        ),
    )
