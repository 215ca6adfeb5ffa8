"""
## What it does
Lists the revisions that the files declare above the recorded ones.

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

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, NextAction, Severity

check = Check(module=__name__, code="AX304", severity=Severity.INFO)

IN_SUMMARY = 2
SHOWN = 8


@check.rule
def find(version_table: VersionTable, history: History) -> Iterator[Finding]:
    known = [row for row in version_table.ids if row in history.revisions]
    pending = _pending(known, history) if known else ()
    if not pending:
        return
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


def _pending(recorded: list[str], history: History) -> tuple[str, ...]:
    """What is above the recorded revisions, or beside them; beside only where it is known what is below them."""
    pending, applied = history.pending(recorded), history.ancestors(recorded)
    if any(missing.file.revision in applied for missing in history.missing):
        above = history.descendants(recorded)
        return tuple(one for one in pending if one in above)
    return pending
