"""
## What it does
Reports a configuration file that was named (`-x config_file=`, the variable `CONFIG_FILE`, or the setting
`config_file`) and does not exist. Every place looked at is listed.

## Why is this bad?
Falling back to another configuration would migrate another database, with exit code 0.

## Example
`CONFIG_FILE=config/prod.yml alembic upgrade head`, where the file is called `prod.yaml`. Relative paths are
resolved against the project root, never against the working directory.

## Repair
None by us: name the file that exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_ext.settings import Settings

check = Check(module=__name__, code="AX101", severity=Severity.ERROR)


@check.rule
def find(settings: Settings) -> Iterator[Finding]:
    for problem in settings.problems:
        if problem.code == check.code:
            yield check.from_problem(problem, why="Another configuration would mean another database.")
