"""
## What it does
Reports an `alembic/__init__.py` (or an `alembic.py`) in the project root or in a folder of the Python path: it
makes the project's own folder look like the library. A folder `alembic/` without `__init__.py` hides nothing.
A copy of the library itself is not reported.

## Why is this bad?
The command `alembic` works. `python -m alembic`, and every program that imports Alembic with the project first on its path, stops with
`cannot import name 'command' from 'alembic'`.

## Example
`alembic init --package alembic` writes the file; so does an editor that "adds missing `__init__.py`".

## Repair
Delete the file when it is empty. When it is not, rename the folder (`migrations` is usual) and `script_location`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_ext.checks.check import MANUAL, Check
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_ext.settings.shadowing import Shadowing

check = Check(module=__name__, code="AX112", severity=Severity.ERROR, safety=Safety.UNSAFE)


@check.rule
def find(shadowing: Shadowing) -> Iterator[Finding]:
    for file in shadowing.files:
        if file.empty:
            repair = Repair(safety=Safety.UNSAFE)
            label = f"Delete the empty file {file.path}."
        else:
            repair = MANUAL
            label = f"Rename {file.path if file.path.name == 'alembic.py' else file.path.parent}, and script_location with it."
        yield check.finding(
            subject=str(file.path),
            summary=f"{file.path} hides the library alembic"
            + (", and is empty." if file.empty else ", and is not empty."),
            why="The command alembic works, but python -m alembic from this folder, and every program that has it"
            " first on its path, gets the project's alembic instead of the library.",
            evidence={"path": str(file.path), "empty": file.empty},
            location=Location(path=file.path),
            repair=repair,
            next_actions=(NextAction(kind="edit-file", label=label, safety=repair.safety),),
        )
