"""
## What it does
Reports a revision id that more than one file declares.

## Why is this bad?
Alembic keeps one of the files, says so in a warning on stderr only, and never runs the others.

## Example
Two branches both numbered their migration `0016`, or a file was copied and only its message was changed.

## Repair
None by us: delete a copy that is identical to the last byte. Otherwise give one of them a new id and a place in the history. If a database already ran one of them, that one
keeps the id.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX203", severity=Severity.ERROR)


@check.rule
def find(history: History) -> Iterator[Finding]:
    for revision, files in history.duplicates.items():
        *ignored, kept = files
        identical = bool(kept.source) and all(file.source == kept.source for file in ignored)
        yield check.finding(
            subject=revision,
            summary=f"{len(files)} files declare the id {revision}: {', '.join(file.path.name for file in files)}.",
            why=f"Alembic keeps {kept.path.name}; {', '.join(file.path.name for file in ignored)} never runs.",
            evidence={"files": [str(file.path) for file in files], "kept": str(kept.path)},
            location=Location(path=ignored[0].path, line=ignored[0].line),
            details=tuple(f'{file.path}:{file.line}  "{file.message}"' for file in files),
            next_actions=(
                NextAction(
                    kind="edit-file",
                    label="the files are identical: delete the copy"
                    if identical
                    else "give the one that no database has run a new id; the other keeps it",
                ),
            ),
        )
