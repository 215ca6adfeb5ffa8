"""
## What it does
Reports a revision id that Alembic refuses (it holds `@`, `-`, `+` or, in newer versions, `:`) or cannot be asked
for (empty, `head`, `heads`, `base`); a branch label that two revisions declare, or that is the id of a revision;
and, as a warning, an id with which a longer one begins. Ids of fewer than four characters, such as `1` and `10`,
are never completed by Alembic and are left alone.

## Why is this bad?
A refused id or label stops every command. An id that begins a longer one is taken for it, or the other way round,
by anyone who abbreviates; a record that was truncated looks like another revision.

## Example
`revision = "2024-05-01"`, or `branch_labels = ("billing",)` in two files.

## Repair
None by us: change the id everywhere it is named, as long as no database has run it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from alembic.script.revision import Revision, RevisionError

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX209", severity=Severity.ERROR)

SYMBOLS = frozenset({"head", "heads", "base", ""})
SHORTEST_ABBREVIATED = 4
"""Alembic completes abbreviations only of ids of at least this length."""


@check.rule
def find(history: History) -> Iterator[Finding]:
    for revision in history.revisions:
        reason = _refused(revision)
        if reason is not None:
            yield _about_id(revision, reason, history)
    for revision, longer in _beginnings(history):
        yield _about_id(revision, f"is how {longer} begins", history, longer)
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


def _about_id(revision: str, reason: str, history: History, longer: str | None = None) -> Finding:
    file = history.revisions[revision]
    files = [str(file.path), *([str(history.revisions[longer].path)] if longer else [])]
    return check.finding(
        subject=revision,
        summary=f"The id {revision!r} in {file.path.name} {reason}.",
        why="An abbreviation or a truncated record stands for the wrong one."
        if longer
        else "Every command stops here.",
        evidence={"kind": "id", "id": revision, "reason": reason, "files": files},
        location=Location(path=file.path, line=file.line),
        next_actions=(
            NextAction(
                kind="edit-file", label="change the id wherever it is named, if no database has run it"
            ),
        ),
        severity=Severity.WARNING if longer else None,
    )


def _refused(revision: str) -> str | None:
    if revision in SYMBOLS:
        return "is a symbol of Alembic's own" if revision else "is empty"
    try:
        Revision.verify_rev_id(revision)
    except RevisionError:
        return "holds a character that Alembic refuses"
    return None


def _beginnings(history: History) -> Iterator[tuple[str, str]]:
    """Each id that a longer one begins with, and the first such one: sorted, they are neighbours."""
    ids = sorted(one for one in history.revisions if one)
    for one, following in pairwise(ids):
        if following.startswith(one) and len(following) >= SHORTEST_ABBREVIATED:
            yield one, following
