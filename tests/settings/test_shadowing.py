from __future__ import annotations

import os
import shutil
from pathlib import Path

import alembic
import pytest

from alembic_ext.settings.shadowing import ShadowingFile, read_shadowing
from tests.settings.asking import ask, write


def test_a_plain_migration_folder_hides_nothing(tmp_path: Path) -> None:
    write(tmp_path / "alembic" / "env.py", "")
    write(tmp_path / "migrations" / "__init__.py", "")

    assert read_shadowing(ask(tmp_path)).files == ()


@pytest.mark.parametrize(
    ("text", "empty"), [("", True), (" \n\t\n", True), ("# mine\n", False), ("x = 1\n", False)]
)
def test_an_init_file_hides_the_library(tmp_path: Path, text: str, empty: bool) -> None:  # noqa: FBT001 - a parameter
    path = write(tmp_path / "alembic" / "__init__.py", text)

    assert read_shadowing(ask(tmp_path)).files == (ShadowingFile(path=path, empty=empty),)


def test_a_module_hides_the_library_and_is_never_called_empty(tmp_path: Path) -> None:
    path = write(tmp_path / "alembic.py", "")

    assert read_shadowing(ask(tmp_path)).files == (ShadowingFile(path=path, empty=False),)


def test_every_folder_of_the_python_path_is_looked_at_once(tmp_path: Path) -> None:
    first = write(tmp_path / "alembic" / "__init__.py", "")
    second = write(tmp_path / "lib" / "alembic" / "__init__.py", "")
    settings = ask(tmp_path, {"PYTHONPATH": os.pathsep.join(["lib", str(tmp_path), "gone"])})

    assert [file.path for file in read_shadowing(settings).files] == [first, second]


def test_the_library_itself_is_no_shadow(tmp_path: Path) -> None:
    """PYTHONPATH may well name the folder that Alembic is installed in, or another copy of it."""
    installed = Path(alembic.__file__).parent
    shutil.copytree(installed, tmp_path / "copy" / "alembic", ignore=shutil.ignore_patterns("__pycache__"))
    settings = ask(tmp_path, {"PYTHONPATH": os.pathsep.join(["copy", str(installed.parent)])})

    assert read_shadowing(settings).files == ()
