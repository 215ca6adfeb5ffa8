from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.config_file_not_found import find
from alembic_ext.findings import Severity
from tests.settings.asking import ask, ask_yaml


def test_a_file_that_exists_is_silent(tmp_path: Path) -> None:
    assert list(find(ask_yaml(tmp_path, "database: a.db"))) == []


def test_no_named_file_is_silent(tmp_path: Path) -> None:
    assert list(find(ask(tmp_path))) == []


def test_a_named_file_that_is_missing_speaks(tmp_path: Path) -> None:
    (finding,) = find(ask(tmp_path, {"CONFIG_FILE": "conf/prod.yaml"}))

    assert (finding.code, finding.slug, finding.severity) == (
        "AX101",
        "config-file-not-found",
        Severity.ERROR,
    )
    assert finding.summary == (
        "CONFIG_FILE names the configuration file conf/prod.yaml, which does not exist. "
        f"Looked at: {tmp_path / 'conf' / 'prod.yaml'}."
    )
    assert finding.evidence["looked_at"] == [str(tmp_path / "conf" / "prod.yaml")]
    assert str(tmp_path) in finding.next_actions[0].label


def test_a_file_in_the_working_directory_does_not_count(tmp_path: Path) -> None:
    """Names are relative to the project root: the same from everywhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.yaml").write_text("database: a.db")
    environ = {"CONFIG_FILE": "a.yaml", "ALEMBIC_CONFIG": str(tmp_path / "alembic.ini")}

    assert len(list(find(ask(tmp_path, environ, cwd=tmp_path / "elsewhere")))) == 1
