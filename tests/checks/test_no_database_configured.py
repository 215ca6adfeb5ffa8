from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.no_database_configured import find
from tests.settings.asking import INI, ask, ask_yaml, write


@pytest.mark.parametrize("yaml", ["database: a.db", "db: {type: mysql, name: d}", "database: ["])
def test_a_database_or_another_problem_is_silent(tmp_path: Path, yaml: str) -> None:
    assert list(find(ask_yaml(tmp_path, yaml))) == []


def test_a_url_in_the_ini_is_enough(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", INI + "sqlalchemy.url = sqlite:///a.db\n")
    write(tmp_path / "config.yaml", "other: 1\n")

    assert list(find(ask(tmp_path))) == []


def test_a_named_file_without_a_database_speaks_whatever_the_ini_says(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", INI + "sqlalchemy.url = sqlite:///a.db\n")
    (finding,) = find(ask_yaml(tmp_path, "other: 1\n"))

    assert (finding.code, finding.slug) == ("AX104", "no-database-configured")
    assert finding.evidence["looked_for"] == ["database", "sqlalchemy", "database_url", "DATABASE_URL", "db"]


@pytest.mark.parametrize(
    "line", ["", "sqlalchemy.url =\n", "sqlalchemy.url = driver://user:pass@localhost/dbname\n"]
)
def test_nothing_anywhere_speaks(tmp_path: Path, line: str) -> None:
    write(tmp_path / "alembic.ini", INI + line)
    (finding,) = find(ask(tmp_path))

    assert finding.location.path == tmp_path / "alembic.ini"
    assert set(finding.evidence) == {"looked_for", "path"}


def test_an_env_py_that_finds_its_database_itself_needs_none(tmp_path: Path) -> None:
    assert list(find(ask(tmp_path).without_unnamed_problems())) == []
    assert list(find(ask_yaml(tmp_path, "other: 1\n").without_unnamed_problems())) != []
