"""
## What it does
Reports an account that the server refuses: unknown user, wrong password, host not allowed, or no right to
the database.

## Why is this bad?
Nothing could be looked at. The exit code is 2: no verdict.

## Example
A password from another environment, or one whose `%` or `@` was not escaped in a hand-written URL. In the
configuration file, write user and password as separate keys: nothing needs escaping there.

## Repair
None by us.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.findings import Finding, Severity

check = Check(module=__name__, code="AX109", severity=Severity.ERROR)

WHY = "Nothing was looked at: this report says nothing about the database."


@check.rule
def find(env_script: EnvScript) -> Iterator[Finding]:
    yield from check.from_failures(env_script, why=WHY)
