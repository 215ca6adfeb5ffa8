"""The stock executable with our plugin, on every Alembic that has plugins: real releases, real entry points."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest

import alembic_ext
from tests.project import package_is_installed

RELEASES = ["alembic==1.18.0", "alembic==1.18.*", "alembic==1.19.*", "alembic==1.20.0", "alembic>=1.20.1"]

INI = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path =\npath_separator = os\n"
REVISION = (
    "from alembic import op\nimport sqlalchemy as sa\nrevision = 'a1'\ndown_revision = None\n"
    "def upgrade():\n    op.create_table('item', sa.Column('id', sa.Integer, primary_key=True))\n"
    "def downgrade():\n    op.drop_table('item')\n"
)


@dataclass(frozen=True)
class Installation:
    """An Alembic release and our distribution, each in a folder of its own, in front of this environment."""

    release: Path
    ours: Path
    project: Path

    def alembic(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the ``alembic`` script that this release installs."""
        script = next(self.release.glob("*/alembic*"))
        return self.python(str(script), *arguments, **variables)

    def python(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.project,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (self.release, self.ours))),
                **variables,
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Fill a folder once per run: parallel workers share it, and whoever is first wins."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, fill: Callable[[Path], object]) -> Path:
        folder = shared / "installed" / name
        if not folder.exists():
            own = tmp_path_factory.mktemp("filling")
            fill(own)
            folder.parent.mkdir(exist_ok=True)
            try:
                own.rename(folder)
            except OSError:
                assert folder.is_dir()
        return folder

    return once


def _pip(*arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def ours(once: Once) -> Path:
    """Our distribution as it is installed: from the environment, or from a wheel built of this checkout."""

    def fill(folder: Path) -> None:
        if package_is_installed():
            installed = distribution("alembic-ext")
            for file in installed.files or ():
                if file.parts[0].startswith("alembic_ext") and file.suffix != ".pyc":
                    target = folder / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(installed.locate_file(file)), target)
        else:
            checkout = Path(alembic_ext.__file__).parent.parent
            _pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(checkout))
            wheel = next(folder.glob("*.whl"))
            zipfile.ZipFile(wheel).extractall(folder)
            wheel.unlink()

    return once("ours", fill)


@pytest.fixture(params=RELEASES)
def installation(request: pytest.FixtureRequest, once: Once, ours: Path, tmp_path: Path) -> Installation:
    release = once(
        request.param.replace("*", "last").replace(">=", "-newest-"),
        lambda folder: _pip("install", "--target", str(folder), request.param),
    )
    return Installation(release, ours, _project(tmp_path / "shop"))


def _project(root: Path) -> Path:
    (root / "migrations" / "versions").mkdir(parents=True)
    (root / "alembic.ini").write_text(INI)
    (root / "config.yaml").write_text("database: shop.db\n")
    (root / "migrations" / "script.py.mako").write_text("")
    (root / "migrations" / "env.py").write_text(
        "from alembic_ext.env import run_migrations\nrun_migrations()\n"
    )
    (root / "migrations" / "versions" / "a1_item.py").write_text(REVISION)
    return root


@pytest.fixture
def broken(installation: Installation, tmp_path: Path) -> Installation:
    """The same, where the module with our commands cannot be imported."""
    copy = tmp_path / "broken"
    shutil.copytree(installation.ours, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "alembic_ext" / "cli.py").write_text("raise RuntimeError('broken on purpose')\n")
    return Installation(installation.release, copy, installation.project)


LOADED = """
import sys, alembic, alembic.config, importlib.metadata as metadata
print(alembic.__version__ == metadata.version("alembic"))
print([entry.name for entry in metadata.entry_points(group="alembic.plugins")])
print(sorted(name for name in sys.modules if name.partition(".")[0] == "alembic_ext"))
"""


def test_importing_alembic_loads_the_plugin_and_nothing_else_of_ours(installation: Installation) -> None:
    done = installation.python("-W", "error", "-c", LOADED)

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True", "['alembic_ext']", "['alembic_ext', 'alembic_ext.plugin']"]


def test_the_stock_executable_lists_and_explains_the_doctor(installation: Installation) -> None:
    listed = installation.alembic("--help")
    by_script = installation.alembic("doctor", "--help")
    by_module = installation.python("-W", "error", "-m", "alembic", "doctor", "--help")

    for done in (listed, by_script, by_module):
        assert (done.returncode, done.stderr) == (0, "")
    assert "doctor" in listed.stdout
    assert all(absent not in listed.stdout for absent in ("resync", "rebuild"))
    assert "--fail-on {error,warning,info,never}" in by_script.stdout
    assert "--fail-on {error,warning,info,never}" in by_module.stdout


def test_options_of_the_doctor_are_typed(installation: Installation) -> None:
    done = installation.alembic("doctor", "--fail-on", "nonsense")

    assert done.returncode == 2
    assert "invalid choice: 'nonsense'" in done.stderr


def test_stock_commands_and_the_doctor_work(installation: Installation) -> None:
    assert installation.alembic("heads").stdout.strip() == "a1 (head)"
    upgraded = installation.alembic("upgrade", "head")
    assert upgraded.returncode == 0, upgraded.stderr
    assert installation.alembic("current").stdout.strip() == "a1 (head)"
    examined = installation.alembic("doctor")
    assert examined.returncode == 0, examined.stdout + examined.stderr
    assert "ok" in examined.stdout


@pytest.mark.parametrize("warnings", ["default", "error"])
def test_alembic_goes_on_when_our_commands_are_broken(broken: Installation, warnings: str) -> None:
    done = broken.alembic("heads", PYTHONWARNINGS=warnings)

    assert (done.returncode, done.stdout.strip()) == (0, "a1 (head)")
    assert (
        "alembic_ext: its commands are missing from alembic (RuntimeError: broken on purpose)" in done.stderr
    )
    assert "Traceback" not in done.stderr


@pytest.fixture(params=["sqlalchemy==2.0.*", "sqlalchemy==2.1.*"])
def sqlalchemy(request: pytest.FixtureRequest, once: Once, ours: Path, tmp_path: Path) -> Installation:
    """The newest Alembic on each SQLAlchemy that is in use."""
    release = once(
        request.param.replace("*", "last"),
        lambda folder: _pip("install", "--target", str(folder), request.param, RELEASES[-1]),
    )
    return Installation(release, ours, _project(tmp_path / "shop"))


HELPER_WITH_MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table
from alembic_ext.env import run_migrations
metadata = MetaData()
Table("item", metadata, Column("id", Integer, primary_key=True))
run_migrations(metadata)
"""


@pytest.mark.parametrize("url", ["sqlite:///shop.db", "sqlite+aiosqlite:///shop.db"])
def test_the_helper_works_on_each_sqlalchemy(sqlalchemy: Installation, url: str) -> None:
    (sqlalchemy.project / "config.yaml").write_text(f"database: {url}\n")
    (sqlalchemy.project / "migrations" / "env.py").write_text(HELPER_WITH_MODELS)
    version = sqlalchemy.python("-c", "import sqlalchemy; print(sqlalchemy.__version__)").stdout

    for command in (
        ["upgrade", "head"],
        ["current"],
        ["check"],
        ["upgrade", "head", "--sql"],
        ["downgrade", "base"],
    ):
        done = sqlalchemy.alembic(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert version.rpartition(".")[0] in sqlalchemy.release.name
    assert (sqlalchemy.project / "shop.db").is_file()
