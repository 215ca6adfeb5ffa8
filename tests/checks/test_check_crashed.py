"""AX901: what the runner makes of a rule that raises."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks import Check, run_checks
from alembic_ext.facts import DATABASE_FACTS, PROJECT_FACTS, DatabaseFacts, Facts
from alembic_ext.findings import Finding, Severity, Status
from tests.checks.facts import LINE, history, version_table


def broken_check() -> Check:
    """Not registered, and yet run like one that is."""
    check = Check(module="a.broken_check", code="AX399", severity=Severity.INFO)

    @check.rule
    def find(version_table: object) -> Iterator[Finding]:
        yield from ()
        raise RuntimeError(f"unexpected {version_table}")

    return check


def quiet_check() -> Check:
    check = Check(module="a.quiet_check", code="AX398", severity=Severity.INFO)

    @check.rule
    def find(history: object) -> Iterator[Finding]:
        assert history
        yield from ()

    return check


FACTS = Facts(
    project={**dict.fromkeys(PROJECT_FACTS), "history": history(LINE)},
    databases=(
        DatabaseFacts("default", {**dict.fromkeys(DATABASE_FACTS), "version_table": version_table("ccc3")}),
    ),
)


def test_a_rule_that_does_not_raise_is_silent() -> None:
    (result,) = run_checks(FACTS, [quiet_check()])

    assert (result.status, result.findings, result.traceback) == (Status.OK, (), None)


def test_a_rule_that_raises_speaks_and_the_others_go_on() -> None:
    crashed, other = run_checks(FACTS, [broken_check(), quiet_check()])

    assert (crashed.status, other.status) == (Status.CRASHED, Status.OK)
    (finding,) = crashed.findings
    assert (finding.code, finding.slug, finding.severity) == ("AX901", "check-crashed", Severity.ERROR)
    assert (finding.subject, finding.database) == ("AX399", "default")
    assert "RuntimeError: unexpected" in (crashed.traceback or "")


def test_a_rule_that_raises_for_one_database_is_heard_for_the_other() -> None:
    twice = Facts(project=FACTS.project, databases=(*FACTS.databases, *FACTS.databases))
    (crashed,) = run_checks(twice, [broken_check()])

    assert len(crashed.findings) == 2
