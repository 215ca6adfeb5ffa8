"""
## What it does
Reports a hot rollback journal beside a SQLite file: a process died in the middle of a transaction. The doctor
does not read the file, because SQLite would first roll the dead transaction back, which is a write.

## Why is this bad?
What the file holds now is not what it will hold after the next program opened it for writing.

## Example
A migration was killed while it rebuilt a table.

## Repair
None by us: copy the file together with its `-journal`, then open it for writing once, for example with
`sqlite3 FILE ".tables"`, and look again. How it is decided: https://www.sqlite.org/lockingv3.html#hot_journals
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.findings import Finding, Severity

check = Check(module=__name__, code="AX118", severity=Severity.WARNING)

WHY = "The next program that opens the file for writing rolls that work back, so what it holds now is not what it will hold."


@check.rule
def find(env_script: EnvScript) -> Iterator[Finding]:
    yield from check.from_failures(env_script, why=WHY)
