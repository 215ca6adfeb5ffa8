"""
## What it does
Reports a check of ours that raised. The other checks go on.

## Why is this bad?
What the crashed check looks for was not looked at, so the report gives no verdict (exit code 2).

## Example
A server answers a catalogue query in a form that this version does not know.

## Repair
None by you. Run again with `--verbose` and report the traceback; it holds no password.
"""

from __future__ import annotations

from alembic_ext.checks.check import Check
from alembic_ext.findings import Severity

check = Check(module=__name__, code="AX901", severity=Severity.ERROR)
