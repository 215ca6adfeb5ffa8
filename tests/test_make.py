"""make.py names what is missing, and tests the package that was built, not the source beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

MAKE = Path(__file__).parent.parent / "make.py"


@pytest.fixture
def make() -> ModuleType:
    spec = spec_from_file_location("make", MAKE)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_missing_servers_are_named_when_they_cannot_be_installed(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="mariadb-server-core mariadb-client postgresql") as ended:
        make.install_packages(["mariadb-server-core", "mariadb-client", "postgresql"])

    assert "--without mariadb,postgresql" in str(ended.value)


def test_nothing_is_said_when_nothing_is_missing(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    make.install_packages([])


@pytest.mark.parametrize("arguments", [["test", "--without", "oracle"], ["demo", "--now"], []])
def test_a_wrong_argument_changes_nothing(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(MAKE), *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_the_tested_copy_has_everything_but_the_source(make: ModuleType, tmp_path: Path) -> None:
    make.copy_without_source(tmp_path / "copy")
    names = {path.name for path in (tmp_path / "copy").iterdir()}

    assert {"tests", "alembic", "alembic.ini", "pyproject.toml", "README.md", "docs", "data"} <= names
    assert names.isdisjoint({"alembic_ext", ".git", ".venv", "build"})


def test_a_broken_virtual_environment_is_made_anew(
    make: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "CHECKOUT", tmp_path)
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    (venv / "bin" / "python").chmod(0o755)
    make.virtual_environment(venv)

    assert subprocess.run([str(venv / "bin" / "python"), "-c", "import pip"], check=False).returncode == 0
