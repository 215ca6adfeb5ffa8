"""
## What it does
Reports that no database can be found: the configuration file that was named has none under any known key, or
nothing was named and there is neither a `config.yaml` with a database nor a `sqlalchemy.url`. The keys looked
for are listed. The placeholder that `alembic init` writes (`driver://user:pass@localhost/dbname`) is no database.

## Why is this bad?
There is nothing to look at and nothing to migrate. Falling back from a file that was named to another source
would migrate a database that nobody meant.

## Example
`CONFIG_FILE=settings.yaml`, where the database is under `services.db.dsn`: set `database_key` to that.

## Repair
None by us: add one of the keys, or name the key with the setting `database_key`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_ext.settings import Settings

check = Check(module=__name__, code="AX104", severity=Severity.ERROR)


@check.rule
def find(settings: Settings) -> Iterator[Finding]:
    for problem in settings.problems:
        if problem.code == check.code:
            yield check.from_problem(problem, why="Without an address there is nothing to look at.")
