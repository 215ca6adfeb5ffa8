"""
## What it does
Reports a server that answers, while the database named in the URL does not exist there.

## Why is this bad?
Most often the address points to another server than the one that was meant. The exit code is 2: no verdict.

## Example
`mysql+pymysql://app@127.0.0.1/shop` on a laptop where the database is called `shop_dev`.

## Repair
None by us: correct the name, or create the database.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.findings import Finding, Severity

check = Check(module=__name__, code="AX110", severity=Severity.ERROR)

WHY = "Nothing was looked at: this report says nothing about the database."


@check.rule
def find(env_script: EnvScript) -> Iterator[Finding]:
    yield from check.from_failures(env_script, why=WHY)
