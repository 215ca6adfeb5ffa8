"""
## What it does
Reports a row of the version table whose id no revision file declares, and which case it is:

- `database-ahead`: the line that this checkout follows already has the file, and this checkout is older.
- `other-branch`: the file was committed on a line that this checkout does not have.
- `deleted`: this checkout, or one of its ancestors, had the file.
- `never-committed`: the file was only ever staged, stashed, or left untracked in another working tree.
- `wrong-location`: the file lies here, outside the version locations.
- `other-application`: another Alembic environment of the repository declares the id. Beside a row of ours: AX307.
- `damaged-id`: the id cannot be one: it holds blanks or control characters.
- `unknown`: none of these; the wrong database is the first thing to rule out.

All refs, the reflog, stashes and unreachable objects of git are searched in one pass, and nothing is written.
An id that occurs in a file which cannot be read is not reported here: see AX202.

## Why is this bad?
`upgrade`, `downgrade`, `current` and even `stamp head` stop with "Can't locate revision identified by ...".

## Example
An image was rolled back after its migration had run; or a branch was deployed and then deleted.

## Repair
Restoring the file is right wherever it can still be found. Deleting the row, or `stamp --purge`, throws away
the only evidence of what the database has run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.lost_revisions import LostRevision, Place
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.facts.row_spelling import what_is_wrong
from alembic_ext.facts.target import Target, address
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

check = Check(module=__name__, code="AX301", severity=Severity.ERROR, safety=Safety.SAFE)

_SENTENCES = {
    "database-ahead": "The database is newer than this checkout.",
    "other-branch": "It was applied from a branch that this checkout does not have.",
    "deleted": "The file was deleted here.",
    "never-committed": "The file was never committed.",
    "wrong-location": "The file is here, in a folder that Alembic does not search.",
    "other-application": "It belongs to another application.",
    "damaged-id": "No revision can have such an id.",
    "unknown": "Nothing here knows it: is this the right database?",
}


@check.rule
def find(
    version_table: VersionTable,
    history: History,
    revision_files: RevisionFiles,
    lost_revisions: Mapping[str, LostRevision],
    target: Target,
) -> Iterator[Finding]:
    ours = any(row in history.revisions for row in version_table.ids)
    for row in dict.fromkeys(version_table.ids):
        if row in history.revisions or what_is_wrong(row, history, version_table.column_width):
            continue
        if any(file.may_declare(row) for file in revision_files.unreadable):
            continue  # AX202 names the file: this would only be its echo
        lost = lost_revisions.get(row) or LostRevision(id=row)
        case = _case(row, lost)
        if case == "other-application" and ours:
            continue  # the table is shared: AX307
        heads = ", ".join(history.effective_heads) or "none"
        yield check.finding(
            subject=row,
            summary=f"The database is at {row}, and no revision file declares it. {_SENTENCES[case]}",
            why="upgrade, downgrade and current all stop here; even stamp refuses.",
            evidence={
                "case": case,
                "rows": list(version_table.rows),
                "heads": list(history.effective_heads),
                "commit": next((place.commit.id for place in lost.places if place.commit), None),
                "places": [place.to_dict() for place in lost.places],
                "complete": lost.complete,
                "reason": lost.reason,
            },
            location=Location(table=version_table.name, column="version_num"),
            details=(
                f"heads of the files: {heads}",
                *(_where(place) for place in lost.places[:4]),
                *((f"not everything was searched: {lost.reason}",) if not lost.complete else ()),
            ),
            repair=Repair(safety=Safety.SAFE if lost.places and case in _RESTORABLE else Safety.MANUAL),
            next_actions=_next(case, lost, target),
        )


_RESTORABLE = ("database-ahead", "other-branch", "deleted", "never-committed", "wrong-location")


def _case(row: str, lost: LostRevision) -> str:
    if lost.case:
        return lost.case
    return "damaged-id" if re.search(r"[\s\x00-\x1f\x7f\ufffd]", row) else "unknown"


def _where(place: Place) -> str:
    named = ", ".join((*place.branches, *place.remote_branches, *place.tags)) or place.stash or "no branch"
    if place.commit is not None:
        gone = f", deleted by {place.deleted_by.id[:10]}" if place.deleted_by else ""
        return f'{place.path or "a file"}  in {place.commit.id[:10]} ({named}) "{place.commit.subject}"{gone}'
    return f"{place.path or place.blob}  ({place.kind})"


def _next(case: str, lost: LostRevision, target: Target) -> tuple[NextAction, ...]:
    actions = []
    place = next((place for place in lost.places if place.kind != "bytecode"), None)
    if case in _RESTORABLE and place is not None and place.blob and place.path:
        root, file = shlex.quote(str(place.root)), shlex.quote(str(place.root / place.path))
        command = f"git -C {root} cat-file -p {place.blob} > {file}"
        if case in ("deleted", "never-committed"):
            actions.append(NextAction(kind="run-command", label="get the file back", command=command))
    if case in ("database-ahead", "other-branch") and place is not None and place.commit is not None:
        line = next(iter((*place.branches, *place.remote_branches, *place.tags)), place.commit.id[:10])
        actions.append(NextAction(kind="choose", label=f"deploy the code that has it: {line}"))
        actions.append(
            NextAction(
                kind="choose", label=f"or downgrade with that code first, then come back: git switch {line}"
            )
        )
    if case == "wrong-location" and place is not None:
        actions.append(
            NextAction(
                kind="edit-file", label=f"move {place.path} into a version location, or add its folder"
            )
        )
    if case in ("unknown", "other-application", "damaged-id"):
        source = f"{target.source.via or target.source.kind}" + (
            f", key {target.source.key}" if target.source.key else ""
        )
        actions.append(
            NextAction(kind="choose", label=f"wrong database? {address(target)} came from {source}")
        )
    return tuple(actions)
