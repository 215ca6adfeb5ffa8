"""
## What it does
Lists the revisions that the files declare above the recorded ones. While files are unreadable, duplicated, without
parent, in a cycle, or torn from their parent, that is not known and this check is skipped: AX202 to AX206 say why.

## Why is this bad?
It usually is not: a deployment is about to run them. With `--require-head` it is an error, for jobs that must
not start on an old schema.

## Example
A pull brought two new revision files.

## Repair
None needed: `alembic upgrade head`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import CannotTellError, Check
from alembic_ext.facts.history import History, damaged_link, what_breaks
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, NextAction, Severity
from alembic_ext.settings import Settings

check = Check(module=__name__, code="AX304", severity=Severity.INFO)

IN_SUMMARY = 2
SHOWN = 8


@check.rule
def find(
    version_table: VersionTable, revision_files: RevisionFiles, history: History, settings: Settings
) -> Iterator[Finding]:
    known = [row for row in version_table.ids if row in history.revisions]
    pending = history.pending(known) if known else ()
    if not pending:
        return
    if cause := what_breaks(revision_files, history):
        raise CannotTellError(because=cause)
    if history.unmeant_heads(settings.own.heads) and damaged_link(history):
        raise CannotTellError(because="AX206")
    target = "heads" if len(history.effective_heads) > 1 else "head"
    first = ", ".join(f'{one} "{history.message(one)}"' for one in pending[:IN_SUMMARY])
    more = f" and {len(pending) - IN_SUMMARY} more" if len(pending) > IN_SUMMARY else ""
    yield check.finding(
        subject=pending[-1],
        summary=f"{len(pending)} revision{'s' if len(pending) > 1 else ''} not applied yet: {first}{more}",
        why="The database is older than these files.",
        evidence={"pending": list(pending), "recorded": known},
        details=tuple(f'{one}  "{history.message(one)}"' for one in pending[IN_SUMMARY:SHOWN]),
        next_actions=(
            NextAction(kind="run-command", label="apply them", command=f"alembic upgrade {target}"),
        ),
    )
