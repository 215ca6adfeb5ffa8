"""
## What it does
Reports each file that Alembic would load and that cannot be read: it is not valid Python (merge conflict markers
are named as such), not UTF-8, it has no `revision` or `down_revision`, one of them is not text, or it is computed.
Files are read as text and never imported, so a computed value is not known, and not guessed at.

## Why is this bad?
One file that does not load stops every command of Alembic. A computed value that loads is no error in Alembic,
but what depends on this file's place in the history cannot be checked.

## Example
A merge was committed with `<<<<<<< HEAD` still in the file, or a helper module lies among the revision files.

## Repair
None by us: mend the file, or move it out of the version location. Metadata of macOS (`._name.py`) is to be deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alembic_ext.checks.check import Check
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX202", severity=Severity.ERROR)


@check.rule
def find(revision_files: RevisionFiles) -> Iterator[Finding]:
    for file in revision_files.unreadable:
        yield check.finding(
            subject=file.path.name,
            summary=f"{file.path.name} cannot be read: {file.reason}.",
            why="One file that does not load stops every command; what this one declares is not known.",
            evidence={"reason": file.reason, "apparent_revisions": list(file.apparent_revisions)},
            location=Location(path=file.path, line=file.line),
            next_actions=(NextAction(kind="edit-file", label=_what_to_do(file.path)),),
        )


def _what_to_do(path: Path) -> str:
    if path.name.startswith("._"):
        return "delete it: macOS writes such files beside those it copies, and it is no migration"
    return "mend the file, or move it out of the version location"
