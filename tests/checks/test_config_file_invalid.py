from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.config_file_invalid import find
from tests.settings.asking import ask, ask_yaml, write


@pytest.mark.parametrize("yaml", ["database: a.db", "other: 1", "database: '${GONE}'"])
def test_a_file_that_is_valid_is_silent(tmp_path: Path, yaml: str) -> None:
    assert list(find(ask_yaml(tmp_path, yaml))) == []


@pytest.mark.parametrize(
    ("yaml", "line", "subject"),
    [
        ("database: [\n", 2, None),
        ("- a\n", None, None),
        ("a: 1\na: 2\ndatabase: a.db\n", 2, "a"),
        ("database:\n  type: mysql\n  name: d\n  port: abc\n", 4, "database.port"),
        ("\ndatabase: postgres://u:secret@h/d\n", 2, "database"),
    ],
)
def test_a_file_that_cannot_be_used_speaks(
    tmp_path: Path, yaml: str, line: int | None, subject: str | None
) -> None:
    (finding,) = find(ask_yaml(tmp_path, yaml))

    assert (finding.code, finding.slug) == ("AX102", "config-file-invalid")
    assert (finding.location.path, finding.location.line) == (tmp_path / "named.yaml", line)
    assert finding.subject == (subject or str(tmp_path / "named.yaml"))
    assert finding.next_actions[0].label
    assert "secret" not in str(finding)
    assert set(finding.evidence) == {"reason", "path", "line", "column", "key"}


def test_a_url_in_the_ini_that_is_none_speaks(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", "[alembic]\nsqlalchemy.url = mysql://u:secret@h:abc/d\n")
    (finding,) = find(ask(tmp_path))

    assert "secret" not in str(finding)
    assert set(finding.evidence) == {"reason", "path", "line", "column", "key"}


def test_every_duplicate_is_a_finding_of_its_own(tmp_path: Path) -> None:
    yaml = "a: 1\na: 2\nb: 1\nb: 2\ndatabase: a.db\n"

    assert [finding.subject for finding in find(ask_yaml(tmp_path, yaml))] == ["a", "b"]
