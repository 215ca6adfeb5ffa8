"""AX106."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.sqlite_file_missing import find
from alembic_ext.findings import Severity
from tests.checks.facts import env_script, failure


def test_an_env_script_that_reached_its_database_is_silent() -> None:
    assert list(find(env_script())) == []


def test_another_failure_is_silent() -> None:
    assert list(find(env_script(failure("AX108")))) == []


def test_this_failure_speaks() -> None:
    path = Path("/project/file")
    (finding,) = find(env_script(failure("AX108"), failure("AX106", path=path, line=7, evidence={"a": "b"})))

    assert (finding.code, finding.severity) == ("AX106", Severity.WARNING)
    assert finding.summary == "This is AX106."
    assert finding.subject == "the subject"
    assert finding.evidence == {"a": "b"}
    assert (finding.location.path, finding.location.line) == (path, 7)
    assert [action.label for action in finding.next_actions] == ["Do this."]


def test_a_failure_without_a_hint_offers_nothing() -> None:
    (finding,) = find(env_script(failure("AX106", hint="")))

    assert finding.next_actions == ()
