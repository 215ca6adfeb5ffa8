"""
## What it does
Reports a SQLite file that does not exist, and says against which folder a relative path was resolved. The
doctor does not connect, because connecting would create the file.

## Why is this bad?
SQLite creates a missing file without a word. A relative path means another file in every working directory:
`current` prints nothing, `upgrade head` migrates an empty database, and both exit with code 0.

## Example
`sqlalchemy.url = sqlite:///shop.db`, and the command is run from a subfolder. A fresh clone, before its first
`alembic upgrade head`, is in this state too.

## Repair
None by us: correct the path, or create the database with `alembic upgrade head`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.findings import Finding, Severity

check = Check(module=__name__, code="AX106", severity=Severity.WARNING)

WHY = "Another file than the one you meant would be created and migrated, with exit code 0."


@check.rule
def find(env_script: EnvScript) -> Iterator[Finding]:
    yield from check.from_failures(env_script, why=WHY)
