from __future__ import annotations

from pathlib import Path

from alembic_ext.checks.ini_unreadable import find
from alembic_ext.settings.ini_file import IniFile, IniProblem, read_ini_file
from tests.settings.asking import INI, ask, write


def test_a_readable_ini_is_silent() -> None:
    assert list(find(IniFile(path=Path("/project/alembic.ini"), encoding="UTF-8"))) == []


def test_every_problem_is_a_finding() -> None:
    problems = (
        IniProblem(kind="bom", summary="a", hint="b", line=1),
        IniProblem(kind="syntax", summary="c", hint="d"),
    )
    found = list(find(IniFile(path=Path("/project/alembic.ini"), encoding="GBK", problems=problems)))

    assert [(each.code, each.summary, each.location.line) for each in found] == [
        ("AX113", "a", 1),
        ("AX113", "c", None),
    ]
    assert found[0].evidence == {
        "reason": "bom",
        "path": str(Path("/project/alembic.ini")),
        "line": 1,
        "key": None,
        "encoding": "GBK",
    }


def test_a_single_percent_in_a_real_file_speaks_without_the_password(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", INI + "sqlalchemy.url = mysql://u:se%cret@h/d\n")
    ini_file = read_ini_file(ask(tmp_path))

    assert ini_file is not None
    (finding,) = find(ini_file)
    assert finding.summary == "alembic.ini line 3: [alembic] sqlalchemy.url holds a single %."
    assert "cret" not in str(finding)
