"""
## What it does
Reports revision files that git does not hold as they are now: untracked, staged but never committed, changed since
the last commit, or in conflict. Each is listed with its state. A file that cannot be read (AX202) or repeats the id
of another (AX203) is to be mended before it is committed: it is left out here. Files that an ignore rule hides are
AX602's.

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
from collections import Counter
from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Location, NextAction, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from alembic_ext.facts.revision_files import RevisionFiles
    from alembic_ext.facts.version_control import VersionControl

check = Check(module=__name__, code="AX601", severity=Severity.WARNING)

_STATES = {
    "untracked": "not in git",
    "added": "staged, never committed",
    "modified": "changed since the last commit",
    "conflicted": "in conflict",
}


_SHOWN = 8


@check.rule
def find(version_control: VersionControl, revision_files: RevisionFiles) -> Iterator[Finding]:
    declared = Counter(file.revision for file in revision_files.files)
    revisions = {file.path: file for file in revision_files.files if declared[file.revision] == 1}
    files = [file for file in version_control.uncommitted if file.path in revisions and file.state in _STATES]
    if not files:
        return
    first = files[0].path
    others = f" and {len(files) - 1} more" if len(files) > 1 else ""
    shown = [f"{file.path.name}: {_STATES[file.state]}" for file in files[:_SHOWN]]
    if len(files) > _SHOWN:
        shown.append(f"... and {len(files) - _SHOWN} more")
    conflicts = [file.path for file in files if file.state == "conflicted"]
    by_location: dict[Path, list[Path]] = {}
    for file in files:
        if file.state != "conflicted":
            by_location.setdefault(revisions[file.path].location, []).append(file.path)
    mended = len(conflicts) + len(revision_files.files) - len(revisions) + len(revision_files.unreadable) == 0
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
                {"path": str(file.path), "revision": revisions[file.path].revision, "state": file.state}
                for file in files
            ],
        },
        location=Location(path=first),
        details=tuple(shown) if others else (),
        next_actions=(
            *(
                NextAction(
                    kind="edit-file",
                    label=f"Resolve the conflict in {path.name} first, then add and commit it.",
                )
                for path in conflicts[:_SHOWN]
            ),
            *_add(by_location, mended=mended, changed=any(file.state == "modified" for file in files)),
        ),
    )


def _add(by_location: Mapping[Path, Sequence[Path]], *, mended: bool, changed: bool) -> Iterator[NextAction]:
    """Many files are added by a pattern, but never together with files that are to be mended first."""
    count = sum(len(paths) for paths in by_location.values())
    if count > _SHOWN and not mended:
        label = "Mend the other files first (AX202, AX203, conflicts), then add and commit all."
        yield NextAction(kind="choose", label=label)
    elif count:
        yield NextAction(
            kind="run-command",
            label=("Look at what was changed (git diff). If it is right: " if changed else "")
            + ("Add it to git, then commit." if count == 1 else "Add them to git, then commit."),
            command="\n".join(
                shlex.join(("git", "-C", str(location), "add", "--", *_names(location, paths)))
                for location, paths in by_location.items()
            ),
        )


def _names(location: Path, paths: Sequence[Path]) -> list[str]:
    return ["*.py"] if len(paths) > _SHOWN else [path.relative_to(location).as_posix() for path in paths]
