"""
## What it does
Reports an env.py that connects to another server, database or schema than the configuration that was *named*
(`CONFIG_FILE`, `-x config_file=`, or our section's `config_file`), and a database that is not the one which
`expect:` in the configuration file demands. A configuration that nobody named is never held against env.py.

## Why is this bad?
The migration runs, with exit code 0, on a database that nobody meant.

## Example
`CONFIG_FILE=config/prod.yaml alembic upgrade head`, while env.py reads `DATABASE_URL`.

## Repair
None by us, and no repair of any other finding is offered while it stands. Let env.py use
`alembic_ext.env.run_migrations()`, or `alembic_ext.env.database_url()`, or correct the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.target import Target, address, expected_differences, same_place, target_of_url
from alembic_ext.findings import Finding, Location, NextAction, Severity
from alembic_ext.settings import Settings
from alembic_ext.workspace import Sighting

check = Check(module=__name__, code="AX105", severity=Severity.ERROR)

WHY = "A migration would run, with exit code 0, on a database that nobody meant."


@check.rule
def find(settings: Settings, target: Target, configured: Sighting) -> Iterator[Finding]:
    named = settings.database
    if named is not None and named.named and not configured.assumed and not same_place(target, named.url):
        meant = address(target_of_url(named.url, named.source, assumed=True))
        yield check.finding(
            subject=address(target),
            summary=f"env.py connects to {address(target)}, but {named.source.via} names {meant}.",
            why=WHY,
            evidence={
                "connected": address(target),
                "configured": meant,
                "key": named.source.key,
                "expected": None,
                "differing": [],
            },
            location=Location(path=named.source.path),
            next_actions=(
                NextAction(
                    kind="edit-file",
                    label="Let env.py use the configuration: engine URL = alembic_ext.env.database_url()",
                ),
            ),
        )
    differing = expected_differences(target, settings.expect)
    if differing:
        expected = ", ".join(f"{key} {settings.expect[key]}" for key in differing)
        yield check.finding(
            subject=address(target),
            summary=f"The database is {address(target)}, but the configuration expects {expected}.",
            why=WHY,
            evidence={
                "connected": address(target),
                "configured": None,
                "key": "expect",
                "expected": {key: str(value) for key, value in settings.expect.items()},
                "differing": list(differing),
            },
            location=Location(path=settings.config_file),
            next_actions=(
                NextAction(
                    kind="edit-file", label="Correct the database key, or expect:, whichever is wrong."
                ),
            ),
        )
