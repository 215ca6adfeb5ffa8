"""AX115."""

from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.statement_before_configure import find
from tests.checks.facts import ENV_PY, sighting


def test_a_connection_without_an_open_transaction_is_silent() -> None:
    assert list(find(sighting())) == []


def test_a_transaction_begun_by_a_statement_speaks() -> None:
    (finding,) = find(sighting(autobegun=(str(ENV_PY), 42)))

    assert finding.code == "AX115"
    assert finding.summary.startswith("env.py, line 42, begins a transaction on the connection")
    assert (finding.location.path, finding.location.line) == (Path(ENV_PY), 42)


def test_a_statement_of_unknown_place_speaks_too() -> None:
    (finding,) = find(sighting(autobegun=(None, None)))

    assert finding.summary.startswith("A statement begins a transaction on the connection")
    assert finding.location.path is None
