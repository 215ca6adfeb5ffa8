"""
## What it does
Reports every `${VAR}` without a default, in the parts of the configuration file that are used, whose variable is
unset or empty in the environment and in the `.env` beside the file. A section that is not used (`mysql:` while
`type` is `sqlite`) may name what it likes.

## Why is this bad?
An empty host, password or database name would not fail: it would reach the driver's defaults, and those are
another database.

## Example
`password: ${MYSQL_PASSWORD}` in a shell that has not sourced the secrets.

## Repair
None by us: set the variable, put it into `.env`, or write a default: `${MYSQL_HOST:localhost}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_ext.settings import Settings

check = Check(module=__name__, code="AX103", severity=Severity.ERROR)


@check.rule
def find(settings: Settings) -> Iterator[Finding]:
    for problem in settings.problems:
        if problem.code == check.code:
            yield check.from_problem(problem, why="An empty value would reach the driver's defaults instead.")
