"""
## What it does
Reports a file with a `revision` and a `down_revision` below the script location or a version location, in a folder
that Alembic does not search. Other Alembic environments (a folder with an `env.py` of its own, the version
locations of another section of the ini file) are left alone.
When nothing at all is loaded, AX201 names these files instead.

## Why is this bad?
The file looks like a part of the history and never runs, without a word.

## Example
`versions/2024/ab12_add_user.py` without `recursive_version_locations = true`, or a file beside `env.py`.

## Repair
None by us: move the file into a version location, or name its folder in `version_locations`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX212", severity=Severity.WARNING)


@check.rule
def find(revision_files: RevisionFiles) -> Iterator[Finding]:
    if not revision_files.files and not revision_files.unreadable:
        return
    for file in revision_files.not_loaded:
        below = any(location in file.path.parents for location in revision_files.locations)
        yield check.finding(
            subject=file.revision or file.path.name,
            summary=f"{file.path.parent.name}/{file.path.name} declares a revision, and its folder is not searched.",
            why="It looks like a part of the history and never runs.",
            evidence={"revision": file.revision or "", "recursive": revision_files.recursive},
            location=Location(path=file.path),
            next_actions=(
                NextAction(
                    kind="edit-file",
                    label="set recursive_version_locations = true, or move the file"
                    if below
                    else "move the file, or name its folder in version_locations",
                ),
            ),
        )
