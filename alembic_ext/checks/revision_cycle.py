"""
## What it does
Reports revisions that are each other's ancestors, through `down_revision` or `depends_on`, and names the edge that
most likely is the mistake: the one that contradicts the `Revises:` line of its own file, else the one that leaves
the oldest file.

## Why is this bad?
Alembic refuses the whole history, and lists every revision on either side of the cycle.

## Example
The `down_revision` of an old file was changed to the newest one while two heads were being joined.

## Repair
None by us: give the named file its right parent.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import DOWN_REVISION, History
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX205", severity=Severity.ERROR)


@check.rule
def find(history: History) -> Iterator[Finding]:
    for cycle in history.cycles:
        child, parent, kind = cycle.cut
        file = history.revisions[child]
        if child == parent:
            summary = f"Revision {child} names itself as its {kind}."
        else:
            summary = f"{len(cycle.revisions)} revisions form a cycle; cut {child} -> {parent} ({kind})."
        yield check.finding(
            subject=child,
            summary=summary,
            why="Alembic refuses the whole history.",
            evidence={
                "cycle": list(cycle.revisions),
                "cut": {"revision": child, "parent": parent, "kind": kind},
                "because": cycle.because,
            },
            location=Location(
                path=file.path,
                line=file.down_revision_line if kind == DOWN_REVISION else file.depends_on_line,
            ),
            details=(
                f"the cycle: {' -> '.join((*cycle.revisions, cycle.revisions[0]))}",
                f"that edge, because {cycle.because}",
            ),
            next_actions=(NextAction(kind="edit-file", label=f"give {file.path.name} its right {kind}"),),
        )
