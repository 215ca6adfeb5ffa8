"""
## What it does
Reports a revision id that Alembic refuses (it holds `@`, `-`, `+` or, in newer versions, `:`) or cannot be asked
for (empty, `head`, `heads`, `base`); an id that is what remains of a longer one after 32 characters; a branch label
that two revisions declare, or that is the id of a revision.

## Why is this bad?
A refused id or label stops every command. An id that is a longer one cut off at the width of the version column
makes a truncated record look like another revision. Any other id that begins like a longer one is harmless:
Alembic takes an exact match first.

## Example
`revision = "2024-05-01"`, or `branch_labels = ("billing",)` in two files.

## Repair
None by us: change the id everywhere it is named, as long as no database has run it.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic.script.revision import Revision, RevisionError

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX209", severity=Severity.ERROR)

SYMBOLS = frozenset({"head", "heads", "base", ""})
COLUMN_WIDTH = 32
"""Of the version column that Alembic creates."""


@check.rule
def find(history: History) -> Iterator[Finding]:
    for revision, file in history.revisions.items():
        reason = _refused(revision) or _cut_off(revision, history)
        if reason is not None:
            yield check.finding(
                subject=revision,
                summary=f"The id {revision!r} in {file.path.name} {reason}.",
                why="Alembic refuses it, or takes it for something else.",
                evidence={"kind": "id", "id": revision, "reason": reason, "files": [str(file.path)]},
                location=Location(path=file.path, line=file.line),
                next_actions=(NextAction(kind="edit-file", label="change the id wherever it is named"),),
            )
    for conflict in history.label_conflicts:
        reason = "is the id of a revision" if conflict.equals_id else "is declared more than once"
        names = ", ".join(dict.fromkeys(file.path.name for file in conflict.files))
        yield check.finding(
            subject=conflict.label,
            summary=f"The branch label {conflict.label!r} {reason}: {names}.",
            why="Alembic refuses the whole history.",
            evidence={
                "kind": "label",
                "id": conflict.label,
                "reason": reason,
                "files": list(dict.fromkeys(str(file.path) for file in conflict.files)),
            },
            location=Location(path=conflict.files[0].path),
            next_actions=(
                NextAction(kind="edit-file", label="declare each label once; its descendants inherit it"),
            ),
        )


def _refused(revision: str) -> str | None:
    if revision in SYMBOLS:
        return "is empty" if not revision else "is a symbol of Alembic's own"
    try:
        Revision.verify_rev_id(revision)
    except RevisionError as error:
        return f"is refused by Alembic ({error})"
    return None


def _cut_off(revision: str, history: History) -> str | None:
    if len(revision) != COLUMN_WIDTH:
        return None
    longer = next((one for one in history.revisions if one != revision and one.startswith(revision)), None)
    return f"is what the version column keeps of {longer!r}" if longer else None
