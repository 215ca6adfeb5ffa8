"""
## What it does
Reports a server that refuses the connection, a host that cannot be found, a server that accepts and says
nothing (time-out, 10 seconds unless `connect_timeout` says otherwise), and a SQLite file that is locked or
is no database.

## Why is this bad?
Nothing could be looked at. Checks that need the database are skipped, and the exit code is 2: no verdict.

## Example
The database of another environment is named, or the server is still starting.

## Repair
None by us. The first line of the report says which address was used and where it came from.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.findings import Finding, Severity

check = Check(module=__name__, code="AX108", severity=Severity.ERROR)

WHY = "Nothing was looked at: this report says nothing about the database."


@check.rule
def find(env_script: EnvScript) -> Iterator[Finding]:
    yield from check.from_failures(env_script, why=WHY)
