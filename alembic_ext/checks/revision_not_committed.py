"""
## What it does
Reports revision files that git does not hold as they are now: untracked, staged but never committed, changed since
the last commit, or in conflict. Each is listed with its state. Files that an ignore rule hides are AX602's.

## Why is this bad?
Once a database has run such a revision, that database is at a state which no other checkout knows. When the file is
lost or changed, every command stops at `Can't locate revision` (AX301).

## Example
`alembic revision` and `alembic upgrade head` on a shared database, then a switch of branches before the commit.

## Repair
None by us: commit the files, or take the change back before a database runs it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Location, NextAction, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_ext.facts.revision_files import RevisionFiles
    from alembic_ext.facts.version_control import VersionControl

check = Check(module=__name__, code="AX601", severity=Severity.WARNING)

_STATES = {
    "untracked": "not in git",
    "added": "staged, never committed",
    "modified": "changed since the last commit",
    "conflicted": "in conflict",
}


@check.rule
def find(version_control: VersionControl, revision_files: RevisionFiles) -> Iterator[Finding]:
    revisions: dict[object, str | None] = {file.path: None for file in revision_files.unreadable}
    revisions |= {file.path: file.revision for file in revision_files.files}
    files = [file for file in version_control.uncommitted if file.path in revisions and file.state in _STATES]
    if not files:
        return
    first = files[0].path
    others = f" and {len(files) - 1} more" if len(files) > 1 else ""
    yield check.finding(
        subject=first.name + others,
        summary=(
            f"The revision file {first.name} is not committed ({_STATES[files[0].state]})."
            if len(files) == 1
            else f"{len(files)} revision files are not committed."
        ),
        why="A database that runs a revision which only this checkout has cannot be migrated from anywhere else.",
        evidence={
            "branch": version_control.branch,
            "head": version_control.head,
            "files": [
                {"path": str(file.path), "revision": revisions[file.path], "state": file.state}
                for file in files
            ],
        },
        location=Location(path=first),
        details=tuple(f"{file.path.name}: {_STATES[file.state]}" for file in files) if others else (),
        next_actions=(
            NextAction(
                kind="run-command",
                label="Add them to git, then commit." if others else "Add it to git, then commit.",
                command=shlex.join(
                    ("git", "-C", str(first.parent), "add", "--", *(str(file.path) for file in files))
                ),
            ),
        ),
    )
