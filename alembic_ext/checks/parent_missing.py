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
None by us: correct the id, or bring the missing file back.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import DOWN_REVISION, History, MissingParent
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX204", severity=Severity.ERROR)


@check.rule
def find(revision_files: RevisionFiles, history: History) -> Iterator[Finding]:
    for reference in history.missing:
        file, parent, kind = reference
        if any(unreadable.may_declare(parent) for unreadable in revision_files.unreadable):
            continue
        meant = _meant(reference, history)
        details = tuple(f"{one} is declared by {history.revisions[one].path.name}" for one in meant)
        yield check.finding(
            subject=parent,
            summary=f"{file.path.name} names {parent!r} as its {kind}, and no revision file declares that id.",
            why="Every command stops with KeyError.",
            evidence={"revision": file.revision, "kind": kind, "missing": parent, "candidates": list(meant)},
            location=Location(
                path=file.path,
                line=file.down_revision_line if kind == DOWN_REVISION else file.depends_on_line,
            ),
            details=details,
            next_actions=(
                *(
                    NextAction(kind="edit-file", label=f'write {kind} = "{one}" in {file.path.name}')
                    for one in meant
                ),
                *(
                    ()
                    if meant
                    else (NextAction(kind="choose", label="correct the id, or bring the missing file back"),)
                ),
            ),
        )


def _meant(reference: MissingParent, history: History) -> tuple[str, ...]:
    """Revisions whose file has that name, else those whose id begins like that; never one above the file itself."""
    file, parent, _ = reference
    stem = parent.removesuffix(".py").lower()
    named = [one for one, other in history.revisions.items() if stem and other.path.stem.lower() == stem]
    above = history.descendants((file.revision,))
    return tuple(one for one in named or history.resolve_prefix(parent) if one not in above)
