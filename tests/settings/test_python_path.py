from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.settings.asking import INI, ask, write


def test_root_then_prepended_then_pythonpath_each_once(tmp_path: Path) -> None:
    lines = f"prepend_sys_path = .{os.pathsep}src{os.pathsep}%(here)s/lib\npath_separator = os\n"
    write(tmp_path / "alembic.ini", INI + lines)
    environ = {
        "PYTHONPATH": os.pathsep.join(["src", "", "more", str(tmp_path), str(tmp_path.parent / "abs")])
    }

    assert ask(tmp_path, environ).python_path == (
        tmp_path,
        tmp_path / "src",
        tmp_path / "lib",
        tmp_path / "more",
        tmp_path.parent / "abs",
    )


@pytest.mark.parametrize(
    ("value", "separator"),
    [
        ("a b", "space"),
        ("a;b", ";"),
        ("a:b", ":"),
        ("\n    a\n    b", "newline"),
        ("a, b", None),
        ("a b", None),
    ],
)
def test_the_separator_is_alembics(tmp_path: Path, value: str, separator: str | None) -> None:
    line = f"path_separator = {separator}\n" if separator else ""
    write(tmp_path / "alembic.ini", f"{INI}prepend_sys_path = {value}\n{line}")

    assert ask(tmp_path).python_path == (tmp_path, tmp_path / "a", tmp_path / "b")


def test_pyproject_is_asked_when_the_ini_says_nothing(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[tool.alembic]\nprepend_sys_path = [".", "%(here)s/src", "50%%"]\n')

    assert ask(tmp_path).python_path == (tmp_path, tmp_path / "src", tmp_path / "50%")


def test_the_working_directory_plays_no_part(tmp_path: Path) -> None:
    write(tmp_path / "p" / "alembic.ini", f"{INI}prepend_sys_path = src\n")
    environ = {"PYTHONPATH": "lib", "ALEMBIC_CONFIG": str(tmp_path / "p" / "alembic.ini")}

    assert ask(tmp_path / "p", environ, cwd=tmp_path).python_path == tuple(
        tmp_path / "p" / name for name in ("", "src", "lib")
    )
