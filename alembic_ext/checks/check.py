"""What a check is: a code, a severity, and a rule that takes facts by parameter name and yields findings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic_ext.facts.env_script import EnvScript, Failure
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity
from alembic_ext.settings import SettingsProblem

Rule = Callable[..., Iterator[Finding]]

MANUAL = Repair(safety=Safety.MANUAL, reversible=False)


class CannotTellError(Exception):
    """Raised by a rule that has its facts and still cannot decide: the check is skipped, never ok.

    :param because: the code of the check that reports the cause.
    """

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


@dataclass(kw_only=True, eq=False)
class Check:
    """One check. Its module's docstring is its documentation.

    The module is named after the slug. The docstring has four headings: ``## What it does``,
    ``## Why is this bad?``, ``## Example`` and ``## Repair``.

    :param module: the ``__name__`` of the check's module; the slug is its last part with dashes.
    :param safety: the strongest repair that this check may ever offer.
    """

    module: str
    code: str
    severity: Severity
    safety: Safety = Safety.MANUAL
    rule_function: Rule | None = None
    parameters: tuple[str, ...] = field(default=())

    @property
    def slug(self) -> str:
        return self.module.rpartition(".")[2].replace("_", "-")

    def rule(self, function: Rule) -> Rule:
        """Register the rule: its parameter names are the facts it needs."""
        self.rule_function = function
        self.parameters = tuple(inspect.signature(function).parameters)
        return function

    def finding(
        self,
        *,
        subject: str,
        summary: str,
        why: str,
        evidence: Mapping[str, Any],
        location: Location | None = None,
        details: tuple[str, ...] = (),
        repair: Repair = MANUAL,
        next_actions: tuple[NextAction, ...] = (),
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this check. The runner fills in the database's name."""
        return Finding(
            code=self.code,
            slug=self.slug,
            severity=severity or self.severity,
            subject=subject,
            summary=summary,
            why=why,
            evidence=evidence,
            location=location or Location(),
            details=details,
            repair=repair,
            next_actions=next_actions,
        )

    def from_problem(self, problem: SettingsProblem, *, why: str) -> Finding:
        """The finding for a setting that cannot be used."""
        return self.finding(
            subject=problem.key or (str(problem.path) if problem.path else "configuration"),
            summary=problem.summary,
            why=why,
            evidence=problem.evidence,
            location=Location(path=problem.path, line=problem.line),
            next_actions=(NextAction(kind="edit-file", label=problem.hint),),
        )

    def from_failures(self, env_script: EnvScript, *, why: str) -> Iterator[Finding]:
        """A finding for each database that was not reached for this check's reason.

        :raises CannotTellError: the look did not get as far as what this check looks at.
        """
        failures = tuple(env_script.failed_with(self.code))
        if not failures and (stop := env_script.stopped_before(self.code)):
            raise CannotTellError(because=stop)
        for failure in failures:
            yield self.from_failure(failure, why=why)

    def from_failure(self, failure: Failure, *, why: str) -> Finding:
        """The finding for a database that was not reached."""
        return self.finding(
            subject=failure.subject,
            summary=failure.summary,
            why=why,
            evidence=failure.evidence,
            location=Location(path=failure.path, line=failure.line),
            next_actions=(_next_action(failure),) if failure.hint else (),
        )


def _next_action(failure: Failure) -> NextAction:
    kind = "run-command" if failure.command else "choose"
    return NextAction(kind=kind, label=failure.hint, command=failure.command)
