"""
## What it does
Reports what stops Alembic itself from using alembic.ini here: a byte order mark, a character that this locale's
encoding cannot read (Alembic reads the file in the locale's encoding, whatever `PYTHONUTF8` says), a line that
is no ini, a single `%` in a section that is read as a whole, a missing main section, or missing logging sections
(or a missing file) where env.py calls `fileConfig()` without a condition.

Our own commands read the file as UTF-8 and do not mind most of this; the stock commands do.

## Why is this bad?
Every stock command stops, or stops only on the machine with another locale, as in a container with `LC_ALL=C`.
For a single `%` Alembic's own message shows the value, and with it the password.

## Example
A Chinese comment in alembic.ini, and `LC_ALL=C alembic upgrade head`.

## Repair
None by us: keep the file in ASCII, write `%%` for a percent sign, restore the sections that `alembic init` wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Location, NextAction, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_ext.settings.ini_file import IniFile

check = Check(module=__name__, code="AX113", severity=Severity.ERROR)


@check.rule
def find(ini_file: IniFile) -> Iterator[Finding]:
    for problem in ini_file.problems:
        yield check.finding(
            subject=problem.key or ini_file.path.name,
            summary=problem.summary,
            why="The stock commands stop here, or will in another locale.",
            evidence={
                "reason": problem.kind,
                "path": str(ini_file.path),
                "line": problem.line,
                "key": problem.key,
                "encoding": ini_file.encoding,
            },
            location=Location(path=ini_file.path, line=problem.line),
            next_actions=(NextAction(kind="edit-file", label=problem.hint),),
        )
