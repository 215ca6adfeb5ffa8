"""What is wrong: one file per check of the catalogue. ``run_checks`` is the only door."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from alembic_ext.checks.check import CannotTellError, Check
from alembic_ext.errors import AlembicExtError
from alembic_ext.facts import DATABASE_FACTS, PROJECT_FACTS, Facts, NotApplicable, Unavailable
from alembic_ext.findings import CheckResult, Finding, Severity, Status

__all__ = ["Check", "registered_checks", "run_checks"]


@lru_cache(maxsize=1)
def registered_checks() -> tuple[Check, ...]:
    """Every check, by code.

    :raises AlembicExtError: a module without a check, a code used twice, an unknown fact.
    """
    found: dict[str, Check] = {}
    for module_info in iter_modules(__path__, f"{__name__}."):
        if module_info.name.endswith(".check"):
            continue
        check = getattr(import_module(module_info.name), "check", None)
        if not isinstance(check, Check) or (check.rule_function is None and check.code != "AX901"):
            raise AlembicExtError(f"{module_info.name} holds no check with a rule.")
        if check.code in found:
            raise AlembicExtError(f"{check.code} is used by {found[check.code].module} and {check.module}.")
        if unknown := set(check.parameters) - PROJECT_FACTS - DATABASE_FACTS:
            raise AlembicExtError(f"{check.module} asks for unknown facts: {', '.join(sorted(unknown))}.")
        found[check.code] = check
    return tuple(found[code] for code in sorted(found))


def run_checks(
    facts: Facts, checks: Iterable[Check] | None = None, *, ignore: Mapping[str, str] | None = None
) -> tuple[CheckResult, ...]:
    """Run the rules over the facts. A rule that raises is a result too, and the others go on."""
    return tuple(
        _run(check, facts, (ignore or {}).get(check.code))
        for check in (registered_checks() if checks is None else checks)
        if check.rule_function is not None
    )


def _run(check: Check, facts: Facts, ignored_because: str | None) -> CheckResult:
    started = time.perf_counter()
    if DATABASE_FACTS.isdisjoint(check.parameters):
        outcomes = [_run_once(check, facts.project, None)]
    else:
        outcomes = [
            _run_once(check, {**facts.project, **database.values}, database.name)
            for database in facts.databases
        ]
    duration = (time.perf_counter() - started) * 1000
    findings = tuple(finding for outcome in outcomes for finding in outcome.findings)
    if findings and ignored_because is not None:
        return CheckResult(
            code=check.code,
            slug=check.slug,
            status=Status.SUPPRESSED,
            because=ignored_because,
            duration_ms=duration,
            findings=findings,
        )
    order = list(Status)
    worst = min(outcomes, key=lambda outcome: order.index(outcome.status))
    return replace(worst, duration_ms=duration, findings=findings)


def _run_once(check: Check, values: Mapping[str, object], database: str | None) -> CheckResult:
    wanted = {name: values[name] for name in check.parameters}
    result = CheckResult(code=check.code, slug=check.slug, status=Status.OK)
    for value in wanted.values():
        if isinstance(value, Unavailable):
            return replace(result, status=Status.SKIPPED, because=value.because or value.reason)
    for value in wanted.values():
        if isinstance(value, NotApplicable):
            return replace(result, status=Status.NOT_APPLICABLE, because=value.reason)
    assert check.rule_function is not None  # noqa: S101 - the registry says so
    try:
        findings = tuple(replace(finding, database=database) for finding in check.rule_function(**wanted))
    except CannotTellError as cannot_tell:
        return replace(result, status=Status.SKIPPED, because=cannot_tell.because)
    except Exception:  # noqa: BLE001 - a crashed check is a result, not the end of the others
        return replace(
            result,
            status=Status.CRASHED,
            traceback=traceback.format_exc(),
            findings=(_crash(check, database),),
        )
    return replace(result, status=Status.FOUND if findings else Status.OK, findings=findings)


def _crash(check: Check, database: str | None) -> Finding:
    return Finding(
        code="AX901",
        slug="check-crashed",
        severity=Severity.ERROR,
        database=database,
        subject=check.code,
        summary=f"The check {check.code} {check.slug} crashed. This is our bug, not your project's.",
        why="What this check looks for was not looked at.",
        evidence={"check": check.code},
        details=("Run again with --verbose for the traceback.",),
    )
