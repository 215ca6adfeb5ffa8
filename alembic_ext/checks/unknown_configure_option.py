"""
## What it does
Reports options given to `context.configure()` that Alembic does not know.

## Why is this bad?
Alembic accepts any keyword there and ignores what it does not know: the option you rely on has no effect.

## Example
`version_table_column_type=String(255)` does not exist: the column stays at 32 characters.

## Repair
None by us: correct the name, or remove it.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, NextAction, Severity
from alembic_ext.workspace import Sighting, known_configure_options

check = Check(module=__name__, code="AX116", severity=Severity.ERROR)


@check.rule
def find(configured: Sighting) -> Iterator[Finding]:
    for option in configured.unknown_options:
        near = get_close_matches(option, known_configure_options(), n=1)
        label = f"Did you mean {near[0]}?" if near else "Remove it from context.configure() in env.py."
        yield check.finding(
            subject=option,
            summary=f"context.configure() knows no option {option!r} and ignores it.",
            why="What the option should do does not happen, and nothing says so.",
            evidence={"option": option, "similar": near[0] if near else None},
            next_actions=(NextAction(kind="edit-file", label=label),),
        )
