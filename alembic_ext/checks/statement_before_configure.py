"""
## What it does
Reports a transaction that *autobegin* opened on env.py's own connection before `context.configure()`: a
statement was executed and not committed. A connection from `engine.begin()` is right, and a caller's own
connection (`config.attributes["connection"]`) is the caller's affair; neither is reported.

## Why is this bad?
Alembic takes the open transaction for somebody else's and does not commit it. SQLAlchemy rolls it back on
close: the whole upgrade is lost, with exit code 0, and "Running upgrade" in the log. On MySQL and MariaDB the
DDL stays and the version does not.

## Example
`connection.execute(text("SET search_path TO app"))` before `context.configure(connection=connection, ...)`.

## Repair
None by us: call `connection.commit()` before `context.configure()`, or connect with `engine.begin()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alembic_ext.checks.check import Check
from alembic_ext.findings import Finding, Location, NextAction, Severity
from alembic_ext.workspace import Sighting

check = Check(module=__name__, code="AX115", severity=Severity.ERROR)


@check.rule
def find(configured: Sighting) -> Iterator[Finding]:
    if configured.autobegun is None:
        return
    path, line = configured.autobegun
    where = f"{Path(path).name}, line {line}," if path else "A statement"
    yield check.finding(
        subject="env.py",
        summary=f"{where} begins a transaction on the connection before context.configure() and leaves it open.",
        why="Alembic will not commit it: the whole upgrade is rolled back on close, with exit code 0.",
        evidence={"path": path, "line": line},
        location=Location(path=Path(path) if path else None, line=line),
        next_actions=(
            NextAction(
                kind="edit-file",
                label="Call connection.commit() before context.configure(), or connect with engine.begin().",
            ),
        ),
    )
