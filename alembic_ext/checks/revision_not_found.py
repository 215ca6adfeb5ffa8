"""
## What it does
Reports a row of the version table whose id no revision file declares, and which case it is:

- `database-ahead`: the line that this checkout follows already has the file, and this checkout is older.
- `other-branch`: the file was committed on a line that this checkout does not have.
- `deleted`: this checkout, or one of its ancestors, had the file; or has it still, and declares another id in it.
- `never-committed`: the file was only ever staged, stashed, or left untracked in another working tree.
- `wrong-location`: the file lies here, outside the version locations.
- `other-application`: another Alembic environment of the repository declares the id. Beside a row of ours: AX307.
- `damaged-id`: the id cannot be one: it holds blanks or control characters.
- `unknown`: none of these. When bytecode is left, or git was not searched, the finding says so; else the wrong
  database is the first thing to rule out.

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
from alembic_ext.facts.lost_revisions import GIT_NOT_SEARCHED, LostRevision
from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles
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
        edited = _edited(row, lost, revision_files) if case in ("deleted", "unknown") else None
        heads = ", ".join(history.effective_heads) or "none"
        yield check.finding(
            subject=row,
            summary=f"The database is at {row}, and no revision file declares it. {_sentence(case, lost, edited)}",
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
                *((f"the row holds {row!r}",) if case == "damaged-id" else ()),
                *(place.where for place in lost.places[:4]),
                *((f"not everything was searched: {lost.reason}",) if not lost.complete else ()),
            ),
            repair=Repair(
                safety=Safety.SAFE if lost.places and case in _RESTORABLE and not edited else Safety.MANUAL
            ),
            next_actions=(
                _undo_edit(row, lost, edited)
                if edited
                else _next(case, lost, target, _way_back(version_table, history, lost))
            ),
        )


_RESTORABLE = ("database-ahead", "other-branch", "deleted", "never-committed", "wrong-location")


def _case(row: str, lost: LostRevision) -> str:
    if lost.case:
        return lost.case
    return "damaged-id" if re.search(r"[\s\x00-\x1f\x7f\ufffd]", row) else "unknown"


def _sentence(case: str, lost: LostRevision, edited: RevisionFile | None) -> str:
    if edited is not None:
        return f"Its file {edited.path.name} now declares {edited.revision}."
    if case != "unknown":
        return _SENTENCES[case]
    if lost.places:
        return f"Only bytecode is left of it: {lost.places[0].path}."
    if (lost.reason or "").startswith(GIT_NOT_SEARCHED):
        return "It may be in git, which was not searched."
    return _SENTENCES[case] if lost.complete else "Nothing declares it in what could be searched."


def _edited(row: str, lost: LostRevision, files: RevisionFiles) -> RevisionFile | None:
    """The file that declared the id once and declares another one now: so says git, else the name of the file."""
    once = {place.root / place.path for place in lost.places if place.in_head and place.path}
    named = re.compile(rf"{re.escape(row)}(?![0-9A-Za-z])")
    return next(
        (file for file in files.files if file.path.resolve() in once or named.match(file.path.name)), None
    )


def _undo_edit(row: str, lost: LostRevision, edited: RevisionFile) -> tuple[NextAction, ...]:
    path = edited.path.resolve()
    place = next(
        (one for one in lost.places if one.path and one.root / one.path == path and one.commit), None
    )
    actions = [
        NextAction(kind="edit-file", label=f'write revision = "{row}" in {edited.path.name} again'),
    ]
    if place is not None and place.commit is not None and place.path is not None:
        command = ("git", "-C", str(place.root), "diff", place.commit.id[:10], "--", place.path)
        actions.insert(
            0, NextAction(kind="run-command", label="see what was changed", command=shlex.join(command))
        )
    return tuple(actions)


def _way_back(version_table: VersionTable, history: History, lost: LostRevision) -> str | None:
    """The revision below the lost one, when it is the only row and this checkout knows what lies below it."""
    below = next((place.down_revisions for place in lost.places if place.kind != "bytecode"), ())
    known = len(version_table.ids) == 1 and len(below) == 1 and below[0] in history.revisions
    return below[0] if known else None


def _next(case: str, lost: LostRevision, target: Target, way_back: str | None) -> tuple[NextAction, ...]:
    actions = []
    place = next((place for place in lost.places if place.kind != "bytecode"), None)
    if case in ("deleted", "never-committed") and place is not None and place.restoring_command:
        actions.append(
            NextAction(kind="run-command", label="get the file back", command=place.restoring_command)
        )
    if case in ("database-ahead", "other-branch") and place is not None and place.commit is not None:
        line = next(iter((*place.branches, *place.remote_branches, *place.tags)), place.commit.id[:10])
        actions.append(NextAction(kind="choose", label=f"deploy the code that has it: {line}"))
        detach = () if place.branches else ("--detach",)  # only a local branch can be switched to as such
        commands = [shlex.join(("git", "-C", str(place.root), "switch", *detach, line))]
        commands += [f"alembic downgrade {shlex.quote(way_back)}"] if way_back else []
        actions.append(
            NextAction(
                kind="run-command",
                label="or downgrade with that code first, then come back",
                command="\n".join(commands),
                safety=Safety.UNSAFE if way_back else Safety.MANUAL,
            )
        )
    if case == "wrong-location" and place is not None:
        actions.append(
            NextAction(
                kind="edit-file", label=f"move {place.path} into a version location, or add its folder"
            )
        )
    if case == "damaged-id":
        actions.append(
            NextAction(
                kind="choose",
                label=f"the row holds {lost.id!r}: find out which revision was meant, then correct the row",
            )
        )
    if case == "unknown":
        actions += _search_on(lost)
    if case in ("unknown", "other-application"):
        source = f"{target.source.via or target.source.kind}" + (
            f", key {target.source.key}" if target.source.key else ""
        )
        actions.append(
            NextAction(kind="choose", label=f"wrong database? {address(target)} came from {source}")
        )
    return tuple(actions)


def _search_on(lost: LostRevision) -> Iterator[NextAction]:
    """What to do before the database is called the wrong one."""
    if lost.remedy is not None:
        yield NextAction(
            kind="run-command", label="let git be searched, then look again", command=lost.remedy
        )
    elif (lost.reason or "").startswith(GIT_NOT_SEARCHED):
        yield NextAction(kind="choose", label=f"mend this, then look again: {lost.reason}")
    if lost.places and lost.places[0].path is not None:
        bytecode = lost.places[0].root / lost.places[0].path
        kept = lost.places[0].root / f"{bytecode.name}.kept"
        yield NextAction(
            kind="run-command",
            label="copy away what is left of it",
            command=shlex.join(("cp", "-p", str(bytecode), str(kept))),
        )
