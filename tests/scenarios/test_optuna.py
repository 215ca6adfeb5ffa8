"""An application that ships its migrations: its databases made by its own code, looked at through its own env.py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config

import alembic_ext
from tests import servers
from tests.project import LOGGING
from tests.scenarios.damage import DAMAGES, Damage, Patient
from tests.scenarios.scenario import EVERY, World

REQUIREMENTS = ("optuna==4.5.0", "colorlog", "numpy", "packaging", "tqdm")
IDS = (
    *("v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a"),
    *("v3.0.0.a", "v3.0.0.b", "v3.0.0.c", "v3.0.0.d", "v3.2.0.a"),
)
REVISION = """\
from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package in a folder, installed once for all workers of the session."""
    base = tmp_path_factory.getbasetemp()
    cache = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, turn = cache / "optuna", cache / "optuna.turn"
    deadline = time.monotonic() + 280
    while not folder.exists():
        try:
            turn.mkdir()
        except FileExistsError:  # another worker is at it
            assert time.monotonic() < deadline, "optuna was not installed in time"
            time.sleep(0.2)
            continue
        try:
            if not folder.exists():
                _install(cache / "optuna.draft")
                (cache / "optuna.draft").rename(folder)
        finally:
            turn.rmdir()
    return folder


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    done = subprocess.run(
        [*command, "--only-binary", ":all:", "--target", str(folder), *REQUIREMENTS],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def importable(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package on the Python path; it is heavy, so it stays imported."""
    monkeypatch.syspath_prepend(str(installed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield installed


@pytest.fixture
def patient(engine: str, world: World, importable: Path) -> Patient:
    """A copy of the shipped environment, and a database that optuna made."""
    make_database(world.url)
    shipped = importable / "optuna" / "storages" / "_rdb" / "alembic"
    root = world.folder / "project"
    shutil.copytree(shipped, root / "alembic", ignore=shutil.ignore_patterns("__pycache__"))
    write_ini(root, "alembic", world.url)

    def write(revision: str, down: str | None, name: str) -> None:
        text = REVISION.format(revision=revision, down=down)
        (root / "alembic" / "versions" / name).write_text(text, "utf-8")

    return Patient(root, root / "alembic" / "env.py", root / "alembic" / "versions", world.url, IDS, write)


def make_database(url: str) -> None:
    """What ``optuna create-study`` does."""
    from optuna.storages import RDBStorage  # type: ignore[import-not-found,unused-ignore]

    storage = RDBStorage(url)
    storage.create_new_study(directions=[])
    storage.engine.dispose()


def write_ini(root: Path, script_location: str, url: str) -> Path:
    root.mkdir(exist_ok=True)
    ini = root / "alembic.ini"
    ini.write_text(
        f"[alembic]\nscript_location = {script_location}\nsqlalchemy.url = {url.replace('%', '%%')}\n{LOGGING}",
        "utf-8",
    )
    return ini


def diagnose(ini: Path) -> dict[str, Any]:
    return alembic_ext.doctor(Config(str(ini))).to_dict()


def state(patient: Patient) -> tuple[str, dict[str, bytes]]:
    files = sorted(path for path in patient.root.rglob("*") if path.is_file())
    return servers.dump(patient.url), {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize("engine", EVERY)
def test_what_optuna_made_is_healthy(engine: str, world: World, importable: Path) -> None:
    """The shipped directory itself, as it lies among the installed packages."""
    make_database(world.url)
    shipped = importable / "optuna" / "storages" / "_rdb" / "alembic"
    ini = write_ini(world.folder / "project", str(shipped), world.url)
    before = servers.dump(world.url)
    report = diagnose(ini)

    assert report["findings"] == []
    assert report["exit_code"] == 0
    assert report["heads"] == [IDS[-1]]
    assert report["databases"][0]["record"]["rows"] == [IDS[-1]]
    assert {check["status"] for check in report["checks"]} <= {"ok", "not-applicable"}
    assert servers.dump(world.url) == before


@pytest.mark.parametrize("engine", EVERY)
@pytest.mark.parametrize("damage", [pytest.param(one, id=one.name) for one in DAMAGES])
def test_a_damage_is_found_and_nothing_else(engine: str, patient: Patient, damage: Damage) -> None:
    damage.do(patient)
    before = state(patient)
    report = diagnose(patient.root / "alembic.ini")

    said = "\n".join(f"{one['code']} {one['summary']}" for one in report["findings"])
    assert {finding["code"] for finding in report["findings"]} == damage.codes, said
    assert report["exit_code"] == damage.exit_code, said
    assert state(patient) == before


@pytest.mark.parametrize("engine", EVERY)
def test_an_empty_database_is_told_from_an_unstamped_one(engine: str, patient: Patient) -> None:
    tables = servers.run(patient.url, _TABLES[engine])
    drop = "DROP TABLE {} CASCADE" if engine == "postgresql" else "DROP TABLE {}"
    off = {"mariadb": "SET FOREIGN_KEY_CHECKS = 0"}.get(engine, "SELECT 1")
    patient.sql(off, *(drop.format(name) for (name,) in tables))
    report = diagnose(patient.root / "alembic.ini")

    assert [finding["code"] for finding in report["findings"]] == ["AX303"]
    assert report["exit_code"] == 0


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    "mariadb": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


@pytest.mark.parametrize("engine", EVERY)
def test_a_statement_before_configure_is_found(engine: str, patient: Patient) -> None:
    patient.edit_env(
        r"^( +)context\.configure\(\n +connection=",
        r'\1connection.exec_driver_sql("SELECT 1")\n\1context.configure(\n\1    connection=',
    )
    report = diagnose(patient.root / "alembic.ini")

    assert [finding["code"] for finding in report["findings"]] == ["AX115"]
    assert report["exit_code"] == 1


@pytest.mark.parametrize("engine", EVERY)
def test_models_that_are_not_loaded_are_found(engine: str, patient: Patient) -> None:
    patient.edit_env(
        r"^target_metadata = .*$", "from sqlalchemy import MetaData\n\ntarget_metadata = MetaData()"
    )
    report = diagnose(patient.root / "alembic.ini")

    assert [finding["code"] for finding in report["findings"]] == ["AX114"]
    assert re.match(r"target_metadata has no tables; \d+ of \d+ ", report["findings"][0]["summary"])
