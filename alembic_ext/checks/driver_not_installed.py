"""
## What it does
Reports a database URL whose driver (DBAPI) or dialect cannot be imported, and names the package to install.

## Why is this bad?
No command that needs the database can run.

## Example
`mysql://...` without `mysqlclient`; `postgres://...`, which SQLAlchemy has not accepted since 1.4. In a
configuration file such a dialect is AX102, which names the line.

## Repair
None by us: install the package into the environment that runs Alembic, or name another driver in the URL.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.findings import Finding, Severity

check = Check(module=__name__, code="AX107", severity=Severity.ERROR)

WHY = "No command that needs the database can run."


@check.rule
def find(env_script: EnvScript) -> Iterator[Finding]:
    yield from check.from_failures(env_script, why=WHY)
