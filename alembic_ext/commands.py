"""The pipelines, each readable on one screen. Nothing here prints or exits."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path

import alembic
import sqlalchemy
from alembic.config import Config

from alembic_ext import __version__
from alembic_ext.checks import Check, registered_checks, run_checks
from alembic_ext.checks.check import MANUAL
from alembic_ext.errors import AlembicExtError
from alembic_ext.facts import DatabaseFacts, Facts, Unavailable, gather
from alembic_ext.facts.env_script import EnvScript
from alembic_ext.facts.history import History
from alembic_ext.facts.target import Target, holds_rest_of_password, target_of_url
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import CheckResult, Finding, NextAction, Severity, Status
from alembic_ext.redaction import worth_hiding
from alembic_ext.report.model import DatabaseReport, DoctorReport, Record, Tool
from alembic_ext.settings import Settings
from alembic_ext.workspace import Sighting, open_workspace

__all__ = ["DoctorReport", "doctor"]

FAIL_ON = {
    "error": (Severity.ERROR,),
    "warning": (Severity.ERROR, Severity.WARNING),
    "info": (Severity.ERROR, Severity.WARNING, Severity.INFO),
    "never": (),
}
_REQUIRED_BY_HEAD = ("AX303", "AX304")
_WRONG_DATABASE = "AX105"
_REPAIRED_IN_DATABASE = ("AX302", "AX303", "AX304", "AX305", "AX306", "AX309")


def doctor(
    config: Config | None = None,
    *,
    config_file: str | PathLike[str] | None = None,
    database: str | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    fail_on: str = "error",
    require_head: bool = False,
    root: Path | None = None,
) -> DoctorReport:
    """Say what is so, with evidence. Reads everything and writes nothing.

    :param config: an Alembic ``Config``; without it the project around the working directory is used.
    :param config_file: the YAML configuration file, as ``-x config_file=PATH``.
    :param database: look only at the database of this name, where env.py migrates several.
    :param only: codes or slugs of the only checks to run.
    :param skip: codes or slugs of checks to leave out.
    :param fail_on: the least severity that makes ``ok`` false: ``error``, ``warning``, ``info`` or ``never``.
    :param require_head: pending revisions are an error.
    :param root: the folder whose alembic.ini is used when nothing else names one.
    :raises AlembicExtError: there is no project here, or an argument names something that does not exist.
    """
    started = time.perf_counter()
    if fail_on not in FAIL_ON:
        raise AlembicExtError(f"fail_on is one of {', '.join(FAIL_ON)}, not {fail_on!r}.")
    checks = _chosen(only, skip, _REQUIRED_BY_HEAD if require_head else ())
    workspace = open_workspace(config, config_file=fspath(config_file) if config_file else None, root=root)
    wanted = frozenset(name for check in checks for name in check.parameters)
    facts = _only_database(gather(workspace, wanted), database)
    results = without_repairs_of_a_wrong_database(
        run_checks(facts, checks, ignore=_ignored(workspace.settings, require_head=require_head))
    )
    if require_head:
        results = tuple(
            _as_error(result) if result.code in _REQUIRED_BY_HEAD else result for result in results
        )
    return DoctorReport(
        exit_code=_exit_code(results, facts, FAIL_ON[fail_on]),
        tool=_tool(),
        heads=_heads(facts),
        databases=tuple(_database_report(one, workspace.settings) for one in facts.databases),
        results=results,
        notes=(*workspace.notes, *_notes(facts, workspace.settings)),
        verbose_notes=workspace.settings.passed_over,
        secrets=_secrets(facts, workspace.settings),
        root=workspace.settings.root,
        messages=_messages(facts),
        elapsed=time.perf_counter() - started,
    )


def without_repairs_of_a_wrong_database(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """While AX105 stands, nothing that writes to that database is proposed, by whatever check."""
    results = tuple(results)
    wrong = {
        finding.database
        for result in results
        if result.code == _WRONG_DATABASE and result.status is Status.FOUND
        for finding in result.findings
    }
    return tuple(
        replace(
            result,
            findings=tuple(
                _without_repairs(one) if one.code in _REPAIRED_IN_DATABASE and one.database in wrong else one
                for one in result.findings
            ),
        )
        for result in results
    )


def _without_repairs(finding: Finding) -> Finding:
    first = NextAction(kind="choose", label=f"Nothing, before {_WRONG_DATABASE} is settled.")
    return replace(finding, repair=MANUAL, next_actions=(first,))


def _ignored(settings: Settings, *, require_head: bool) -> dict[str, str]:
    """What the settings ignore; a flag of this very run wins."""
    required = _REQUIRED_BY_HEAD if require_head else ()
    return {code: reason for code, reason in settings.own.ignore.items() if code not in required}


def _chosen(only: Sequence[str], skip: Sequence[str], required: Container[str]) -> tuple[Check, ...]:
    every = [check for check in registered_checks() if check.rule_function is not None]
    known = {name.lower() for check in registered_checks() for name in (check.code, check.slug)}
    for name in (*only, *skip):
        if name.lower() not in known:
            raise AlembicExtError(f"No check is called {name!r}.", hint="alembic doctor --list-checks")
    return tuple(
        check
        for check in every
        if check.code in required or ((not only or _is_named(check, only)) and not _is_named(check, skip))
    )


def _is_named(check: Check, names: Sequence[str]) -> bool:
    return not {check.code.lower(), check.slug}.isdisjoint(name.lower() for name in names)


def _only_database(facts: Facts, name: str | None) -> Facts:
    names = [one.name for one in facts.databases]
    if name is None:
        return facts
    if name not in names:
        raise AlembicExtError(
            f"env.py migrates no database called {name!r}.", hint=f"It migrates: {', '.join(names)}"
        )
    return replace(facts, databases=tuple(one for one in facts.databases if one.name == name))


def _as_error(result: CheckResult) -> CheckResult:
    return replace(result, findings=tuple(replace(one, severity=Severity.ERROR) for one in result.findings))


def _exit_code(results: Iterable[CheckResult], facts: Facts, failing: Sequence[Severity]) -> int:
    """0 healthy, 1 findings, 2 no verdict. The format has no say in it."""
    ran = [result for result in results if result.status is not Status.NOT_APPLICABLE]
    codes = {result.code for result in ran}
    unreached = any(isinstance(one.values["target"], Unavailable) for one in facts.databases)
    if (
        not ran
        or unreached
        or any(result.status is Status.CRASHED or _leaves_no_verdict(result, facts, codes) for result in ran)
    ):
        return 2
    found = [one for result in ran if result.status is Status.FOUND for one in result.findings]
    return 1 if any(finding.severity in failing for finding in found) else 0


def _leaves_no_verdict(result: CheckResult, facts: Facts, ran: Container[str]) -> bool:
    """A check was skipped because something could not be examined, and nothing else says what is so.

    A database that was examined all the same (by the settings, when env.py fails) has its verdict.
    """
    if result.status is not Status.SKIPPED:
        return False
    if result.because is None or not result.because.startswith("AX"):
        return True
    if not result.because.startswith("AX1"):
        return result.because not in ran  # the check of that code says what is wrong with the files
    return not all(isinstance(one.values["version_table"], VersionTable) for one in facts.databases)


def _secrets(facts: Facts, settings: Settings) -> tuple[str, ...]:
    """What must not be shown: the settings' passwords, and those of the URLs that env.py itself made."""
    urls = [
        one.values["configured"].url
        for one in facts.databases
        if isinstance(one.values["configured"], Sighting)
    ]
    script = facts.project["env_script"]
    if isinstance(script, EnvScript):
        urls += [failure.url for failure in script.failures if failure.url is not None]
    shown = [
        word
        for url in urls
        if not holds_rest_of_password(url)
        for word in (url.username, url.host, url.database)
    ]
    return worth_hiding((*settings.secrets, *(str(url.password) for url in urls if url.password)), shown)


def _tool() -> Tool:
    return Tool(
        alembic_ext=__version__,
        alembic=alembic.__version__,
        sqlalchemy=sqlalchemy.__version__,
        python=".".join(map(str, sys.version_info[:3])),
    )


def _heads(facts: Facts) -> tuple[tuple[str, str], ...]:
    history = facts.project["history"]
    if not isinstance(history, History):
        return ()
    return tuple((head, history.message(head)) for head in history.effective_heads)


def _messages(facts: Facts) -> dict[str, str]:
    """The messages of the recorded revisions."""
    history = facts.project["history"]
    tables = (one.values["version_table"] for one in facts.databases)
    rows = (row for table in tables if isinstance(table, VersionTable) for row in table.ids)
    return {row: history.message(row) for row in rows} if isinstance(history, History) else {}


def _database_report(facts: DatabaseFacts, settings: Settings) -> DatabaseReport:
    """The target is the one that was reached, else the one that env.py tried, else the one that the settings name."""
    target, table = facts.values["target"], facts.values["version_table"]
    if not isinstance(target, Target):
        named = (
            None if facts.name.isdecimal() else settings.database
        )  # one of several: env.py knows its address
        target = facts.tried or (target_of_url(named.url, named.source, assumed=True) if named else None)
    record = None
    if isinstance(table, VersionTable):
        record = Record(version_table=table.name, schema=table.schema, exists=table.exists, rows=table.rows)
    return DatabaseReport(name=facts.name, target=target, record=record)


def _notes(facts: Facts, settings: Settings) -> Iterable[str]:
    """What is no finding, and yet must not be kept back."""
    script = facts.project["env_script"]
    if isinstance(script, EnvScript):
        for write, times in Counter(script.refused).items():
            where = f"{Path(write.path).name}, line {write.line}" if write.path else "env.py"
            said = "was refused by the database" if write.sent else "... was not sent"
            again = f" ({times} times)" if times > 1 else ""
            yield f"{where}: {write.kind} {said}, because the doctor never writes{again}."
    for one in facts.databases:
        configured = one.values["configured"]
        if isinstance(configured, Sighting):
            yield from configured.notes
        target = one.values["target"]
        if (
            isinstance(target, Target)
            and target.assumed
            and isinstance(one.values["version_table"], VersionTable)
        ):
            yield "env.py could not be asked: the database is the one the settings name, with Alembic's standard options."
    unknown = [
        code for code in settings.own.ignore if code not in {check.code for check in registered_checks()}
    ]
    for code in unknown:
        yield f"The setting ignore names {code}, and there is no such check."
    for key in settings.own.unknown:
        yield f"The setting {key!r} is unknown to this version."
