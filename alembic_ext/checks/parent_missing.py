"""
## What it does
Reports a `down_revision` or `depends_on` that names no known revision. When an existing revision was evidently
meant (the name of its file was written instead of its id, or only the start of the id), it is proposed.
A parent that an unreadable file may declare is not reported here: see AX202.

## Why is this bad?
Every command of Alembic stops with `KeyError`.

## Example
`down_revision = "1975ea83b712_add_users"`, or a cherry-picked commit whose parent revision stayed behind.

## Repair
Correcting the id where another one was meant; else restoring the file, wherever git still holds it: the finding
names the place and the command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import DOWN_REVISION, History, MissingParent
from alembic_ext.facts.lost_revisions import LostRevision
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

check = Check(module=__name__, code="AX204", severity=Severity.ERROR, safety=Safety.SAFE)


@check.rule
def find(
    revision_files: RevisionFiles, history: History, lost_parents: Mapping[str, LostRevision]
) -> Iterator[Finding]:
    for reference in history.missing:
        file, parent, kind = reference
        if any(unreadable.may_declare(parent) for unreadable in revision_files.unreadable):
            continue
        meant = _meant(reference, history)
        lost = lost_parents.get(parent) or LostRevision(id=parent)
        restore = None if meant else lost.restoring_command
        yield check.finding(
            subject=parent,
            summary=f"{file.path.name} names {parent!r} as its {kind}, and no revision file declares that id.",
            why="Every command stops with KeyError.",
            evidence={
                "revision": file.revision,
                "kind": kind,
                "missing": parent,
                "candidates": list(meant),
                "case": lost.case,
                "places": [place.to_dict() for place in lost.places],
                "complete": lost.complete,
                "reason": lost.reason,
            },
            location=Location(
                path=file.path,
                line=file.down_revision_line if kind == DOWN_REVISION else file.depends_on_line,
            ),
            details=(
                *(f"{one} is declared by {history.revisions[one].path.name}" for one in meant),
                *(place.where for place in lost.places[:4]),
                *((f"not everything was searched: {lost.reason}",) if not lost.complete else ()),
            ),
            repair=Repair(safety=Safety.SAFE if restore else Safety.MANUAL, reversible=restore is not None),
            next_actions=(
                *(
                    NextAction(kind="edit-file", label=f'write {kind} = "{one}" in {file.path.name}')
                    for one in meant
                ),
                *(() if meant else _bring_back(lost, restore)),
            ),
        )


def _bring_back(lost: LostRevision, restore: str | None) -> Iterator[NextAction]:
    if restore is not None:
        yield NextAction(kind="run-command", label="get the file back", command=restore)
        return
    if lost.remedy is not None:
        yield NextAction(
            kind="run-command", label="let git be searched, then look again", command=lost.remedy
        )
    yield NextAction(kind="choose", label="correct the id, or bring the missing file back")


def _meant(reference: MissingParent, history: History) -> tuple[str, ...]:
    """Revisions whose file has that name, else those whose id begins like that; never one above the file itself."""
    file, parent, _ = reference
    stem = parent.removesuffix(".py").lower()
    named = [one for one, other in history.revisions.items() if stem and other.path.stem.lower() == stem]
    above = history.descendants((file.revision,))
    return tuple(one for one in named or history.resolve_prefix(parent) if one not in above)
