"""
## What it does
Runs env.py once, under the guards of the doctor, and reports that it raised, ended the process, or came to its
end without `context.run_migrations()`. The place named is the innermost line of the project's own code. For a
module that cannot be imported the folder that holds it is looked for below the project root.

A write of env.py's own is no failure: it is not sent, and the report says so in a note.

## Why is this bad?
No command that needs the database can run. When the settings name a database, it is looked at all the same,
with the standard options, and the report says that these are assumed.

## Example
`ModuleNotFoundError: No module named 'app'`, because the console script does not put the working directory on
the Python path, or `prepend_sys_path = .` is relative to the caller's folder.

## Repair
None by us: the line is named. For the Python path write `prepend_sys_path = %(here)s`, or use
`alembic_ext.env.run_migrations()`, which resolves it in the same way from everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.findings import Finding, Severity

check = Check(module=__name__, code="AX111", severity=Severity.ERROR)

WHY = "No command that needs the database can run."


@check.rule
def find(env_script: EnvScript) -> Iterator[Finding]:
    yield from check.from_failures(env_script, why=WHY)
