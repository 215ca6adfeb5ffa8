"""
## What it does
Asks the server, without trying, whether the account may do what an upgrade needs: create and alter tables, own
those of this history (PostgreSQL), and write the version table. Where a role may grant what the server does not
show, the check is skipped. For SQLite the file and its folder must be writable. A version table that the account may not read is not taken for an absent one.

## Why is this bad?
The upgrade stops half-way, and on MySQL and MariaDB what was done stays done.

## Example
The application's account, which may only read and write rows, is used for migrations. For a doctor that looks
with a read-only account on purpose, add `AX117 = "read-only account"` to `ignore`.

## Repair
None by us: grant the privileges named, or migrate with another account.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import CannotTellError, Check
from alembic_ext.facts.privileges import Privileges
from alembic_ext.findings import Finding, NextAction, Severity

check = Check(module=__name__, code="AX117", severity=Severity.WARNING)


@check.rule
def find(privileges: Privileges) -> Iterator[Finding]:
    if privileges.unknown is not None:
        raise CannotTellError(privileges.unknown)
    if not privileges.missing:
        return
    yield check.finding(
        subject=privileges.account,
        summary=f"{privileges.account} lacks what an upgrade needs: {', '.join(privileges.missing)}.",
        why="An upgrade by this account stops half-way.",
        evidence={"account": privileges.account, "missing": list(privileges.missing)},
        next_actions=(NextAction(kind="choose", label="Grant these, or migrate with another account."),),
    )
