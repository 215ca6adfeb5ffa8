from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.variable_not_set import find
from tests.settings.asking import ask_yaml, write

YAML = "database:\n  type: '${KIND:mysql}'\n  sqlite: a.db\n  mysql:\n    host: ${HOST}\n    name: ${NAME:shop}\n    password: ${PASSWORD}\n"


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"HOST": "h", "PASSWORD": "p"}, id="set"),
        pytest.param({"KIND": "sqlite"}, id="section-not-used"),
    ],
)
def test_variables_that_are_not_missing_are_silent(tmp_path: Path, environ: dict[str, str]) -> None:
    assert list(find(ask_yaml(tmp_path, YAML, environ))) == []


def test_a_dotenv_counts(tmp_path: Path) -> None:
    write(tmp_path / ".env", "HOST=h\nPASSWORD=p\n")

    assert list(find(ask_yaml(tmp_path, YAML))) == []


@pytest.mark.parametrize("environ", [{}, {"HOST": "", "PASSWORD": ""}])
def test_every_missing_variable_speaks(tmp_path: Path, environ: dict[str, str]) -> None:
    found = list(find(ask_yaml(tmp_path, YAML, environ)))

    assert [(each.code, each.subject, each.location.line, each.evidence["variable"]) for each in found] == [
        ("AX103", "database.mysql.host", 5, "HOST"),
        ("AX103", "database.mysql.password", 7, "PASSWORD"),
    ]
    assert (
        found[0].next_actions[0].label == "Set HOST in the environment or in .env, or write ${HOST:default}."
    )
    assert set(found[0].evidence) == {"variable", "path", "line", "key"}
