"""
## What it does
Reports a configuration file that cannot be used as it is: not a readable text file in UTF-8, not YAML (with line
and column), not a mapping, a key given twice, nested or aliased beyond reason, or a value that cannot be what
its key says (a port `abc`, a dialect that SQLAlchemy does not know, a URL that is none). Our own section in
pyproject.toml or alembic.ini counts too, and giving it in both files.

## Why is this bad?
Guessing what was meant would migrate a database that nobody named. YAML readers keep the last of two equal keys
without a word.

## Example
`url: postgres://app@db/shop`: SQLAlchemy removed the name `postgres`; the dialect is called `postgresql`.

## Repair
None by us: the file, the line and the key are named. No value is shown, because it may hold a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_ext.settings import Settings

check = Check(module=__name__, code="AX102", severity=Severity.ERROR)


@check.rule
def find(settings: Settings) -> Iterator[Finding]:
    for problem in settings.problems:
        if problem.code == check.code:
            yield check.from_problem(problem, why="Guessing what was meant could mean another database.")
