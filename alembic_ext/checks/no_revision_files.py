"""
## What it does
Reports that not one revision file was found in any version location, while a version location does not exist or
revision files lie in folders that are not searched. A new project with an empty `versions/` is healthy.

## Why is this bad?
Without files `upgrade head` has nothing to do: on a database that records no revision it exits 0 and leaves it as it
is, on one that does it stops with "Can't locate revision".

## Example
`version_locations = %(here)s/versoins`, a wrong `path_separator`, a container image that was built without the
`versions` folder, or files in subfolders without `recursive_version_locations = true`.

## Repair
None by us: correct `script_location` or `version_locations`, or bring the files where they are looked for.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Severity

check = Check(module=__name__, code="AX201", severity=Severity.ERROR)


@check.rule
def find(revision_files: RevisionFiles) -> Iterator[Finding]:
    files = revision_files
    if not files.none_found:
        return
    missing = [str(location) for location in files.missing_locations]
    if missing:
        so = "does not exist" if len(missing) == 1 else "do not exist"
        summary = f"No revision files: the version location {', '.join(missing)} {so}."
    else:
        looked = ", ".join(str(location) for location in files.locations)
        summary = (
            f"No revision files in {looked}; {len(files.not_loaded)} lie in folders that are not searched."
        )
    yield check.finding(
        subject=str((files.missing_locations or files.locations)[0]),
        summary=summary,
        why="upgrade would do nothing and succeed; on a database that records a revision it would not find it.",
        evidence={
            "locations": [str(location) for location in files.locations],
            "missing": missing,
            "not_loaded": [str(file.path) for file in files.not_loaded],
        },
        location=Location(path=(files.missing_locations or files.locations)[0]),
        details=tuple(f"not searched: {file.path}" for file in files.not_loaded),
        next_actions=(
            *(
                NextAction(
                    kind="choose",
                    label=f"deleted? git status shows it, and: git checkout -- {shlex.quote(location)}",
                )
                for location in missing
            ),
            NextAction(
                kind="edit-file",
                label="correct script_location or version_locations"
                + (", or set recursive_version_locations = true" if files.not_loaded else ""),
            ),
        ),
    )
