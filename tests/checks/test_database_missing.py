"""AX110."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.check import CannotTellError
from alembic_ext.checks.database_missing import find
from alembic_ext.findings import Severity
from tests.checks.facts import env_script, failure


def test_an_env_script_that_reached_its_database_is_silent() -> None:
    assert list(find(env_script())) == []


def test_after_another_failure_it_was_not_looked_at() -> None:
    with pytest.raises(CannotTellError) as raised:
        list(find(env_script(failure("AX108"))))
    assert raised.value.because == "AX108"


def test_this_failure_speaks() -> None:
    path = Path("/project/file")
    (finding,) = find(env_script(failure("AX108"), failure("AX110", path=path, line=7, evidence={"a": "b"})))

    assert (finding.code, finding.severity) == ("AX110", Severity.ERROR)
    assert finding.summary == "This is AX110."
    assert finding.subject == "the subject"
    assert finding.evidence == {"a": "b"}
    assert (finding.location.path, finding.location.line) == (path, 7)
    assert [action.label for action in finding.next_actions] == ["Do this."]


def test_a_failure_without_a_hint_offers_nothing() -> None:
    (finding,) = find(env_script(failure("AX110", hint="")))

    assert finding.next_actions == ()
