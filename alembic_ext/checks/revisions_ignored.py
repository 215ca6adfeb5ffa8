"""
## What it does
Reports a rule that hides revision files: of git (`.gitignore`, `.git/info/exclude`, the user's own excludes) or of
Docker (`.dockerignore` beside alembic.ini or at the top of the repository). It asks about the files that are there,
and about the one that `alembic revision` would write next. Folders of installed packages are left out.

## Why is this bad?
git: the revision that you apply is never committed, so nobody else has it. Docker: the image is built without the
files, and `alembic upgrade` in it stops at a revision it does not find, or finds nothing to do.

## Example
A `.gitignore` for build products has the line `versions/`, and the migrations live in `alembic/versions/`.

## Repair
None by us: narrow the rule. The finding names its file and line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Location, NextAction, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alembic_ext.facts.revision_files import RevisionFiles
    from alembic_ext.facts.version_control import HiddenFile, VersionControl

check = Check(module=__name__, code="AX602", severity=Severity.WARNING)

_SHOWN = 8

_WHY = {
    "git": "A revision file that git ignores is never committed: other checkouts will not find the revision.",
    "docker": "The image is built without these files: `alembic upgrade` in it does not find the revisions.",
}


@check.rule
def find(version_control: VersionControl, revision_files: RevisionFiles) -> Iterator[Finding]:
    known = {file.path for file in revision_files.files} | {file.path for file in revision_files.unreadable}
    by_rule: dict[tuple[str, Path | None, int | None, str], list[HiddenFile]] = {}
    for file in version_control.hidden:
        if file.new or file.path in known:
            by_rule.setdefault((file.tool, file.rule_path, file.rule_line, file.rule), []).append(file)
    for files in by_rule.values():
        yield _finding(files, version_control.top)


def _finding(files: Sequence[HiddenFile], top: Path) -> Finding:
    rule, existing = files[0], [file for file in files if not file.new]
    where = _from(top, rule.rule_path) if rule.rule_path else "An ignore rule"
    line = f", line {rule.rule_line}" if rule.rule_line else ""
    locations = tuple(dict.fromkeys(file.location for file in files))
    new = any(file.new for file in files)
    hides = [
        *(f"{len(existing)} revision file{'s'[: len(existing) != 1]}" for _ in existing[:1]),
        *("every new revision" for _ in files[:new]),
    ]
    return check.finding(
        subject=rule.rule,
        summary=f"{where}{line} (`{rule.rule}`) hides {' and '.join(hides)} from {rule.tool}.",
        why=_WHY[rule.tool],
        evidence={
            "tool": rule.tool,
            "rule": rule.rule,
            "rule_path": str(rule.rule_path) if rule.rule_path else None,
            "rule_line": rule.rule_line,
            "locations": [str(location) for location in locations],
            "new_revisions": new,
            "files": [str(file.path) for file in existing],
        },
        location=Location(path=rule.rule_path, line=rule.rule_line),
        details=(
            *(file.path.name for file in existing[:_SHOWN]),
            *(f"... and {len(existing) - _SHOWN} more" for _ in existing[_SHOWN : _SHOWN + 1]),
        ),
        next_actions=(
            NextAction(
                kind="edit-file",
                label=(
                    f"Narrow the rule, or add {_where(rule, top)}: {' and '.join(rule.kept_by)}"
                    if new and rule.kept_by
                    else "Narrow the rule so that it keeps these files."
                ),
            ),
        ),
    )


def _from(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _where(rule: HiddenFile, top: Path) -> str:
    """Rules of the user's own excludes are for every repository: ours belong into this one."""
    below = rule.rule_path is not None and (rule.tool == "docker" or rule.rule_path.is_relative_to(top))
    return "below it" if below else "to .gitignore at the top of the repository"
