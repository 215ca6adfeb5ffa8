"""The templates of ``alembic init``: healthy is silent; then broken in each way that applies."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

import alembic_ext
from tests import servers
from tests.project import Project
from tests.scenarios.damage import DAMAGES, Damage, Patient
from tests.scenarios.scenario import World, nothing_imported

TEMPLATES = ("generic", "async", "multidb", "pyproject", "pyproject_async")
ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
IDS = ("aaa1", "bbb2", "ccc3")
CASES = [
    pytest.param(template, engine, id=f"{template}-{engine}")
    for template in TEMPLATES
    for engine in ("sqlite", "mariadb", "postgresql")
    if engine in ASYNC_DRIVERS or "async" not in template  # no asynchronous driver of MySQL's is installed
]
DAMAGED = [
    pytest.param(template, engine, damage, id=f"{damage.name}-{template}-{engine}")
    for damage in DAMAGES
    for template in TEMPLATES
    for engine in ("sqlite", "mariadb", "postgresql")
    if engine == "sqlite" or template == "generic"
]


@dataclass
class Started:
    """A project as ``alembic init`` laid it down, with three revisions, at its head.

    :param urls: its databases, for a synchronous driver.
    """

    project: Project
    urls: tuple[str, ...]
    toml: Path | None

    def config(self) -> Config:
        return Config(str(self.project.ini), toml_file=str(self.toml) if self.toml else None)

    def diagnose(self) -> dict[str, Any]:
        return alembic_ext.doctor(self.config()).to_dict()

    def state(self) -> tuple[list[str], dict[str, bytes]]:
        return [servers.dump(url) for url in self.urls], self.project.files()

    def patient(self) -> Patient:
        root = self.project.root / "migrations"

        def write(revision: str, down: str | None, name: str) -> None:
            write_revision(self.project, revision, down, "pass", multidb=len(self.urls) > 1, name=name)

        return Patient(self.project.root, root / "env.py", self.project.versions, self.urls[0], IDS, write)


def write_revision(
    project: Project, revision: str, down: str | None, body: str, *, multidb: bool, name: str | None = None
) -> None:
    path = project.revision(revision, down, body, name=name)
    if multidb:
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"def (up|down)grade\(\)", r"def \1grade(engine_name: str)", text), "utf-8")


@pytest.fixture
def started(template: str, engine: str, world: World) -> Started:
    root = world.folder / "project"
    root.mkdir()
    world.monkeypatch.chdir(root)
    toml = root / "pyproject.toml" if "pyproject" in template else None
    config = Config(str(root / "alembic.ini"), toml_file=str(toml) if toml else None, stdout=io.StringIO())
    with contextlib.redirect_stdout(io.StringIO()):
        command.init(config, str(root / "migrations"), template=template)
    urls = (world.url, world.new_database()) if template == "multidb" else (world.url,)
    project = Project(root, world.url)
    text = project.ini.read_text("utf-8")
    for url in urls:
        if "async" in template:
            url = make_url(url).set(drivername=ASYNC_DRIVERS[engine]).render_as_string(hide_password=False)  # noqa: PLW2901
        placeholder = re.compile(r"^sqlalchemy\.url = driver://.*$", re.MULTILINE)
        text = placeholder.sub(lambda _: f"sqlalchemy.url = {url.replace('%', '%%')}", text, count=1)  # noqa: B023
    assert "driver://" not in text
    project.write("alembic.ini", text)
    for number, (revision, down) in enumerate(zip(IDS, (None, *IDS), strict=False), start=1):
        body = f'op.create_table("t{number}", sa.Column("id", sa.Integer(), primary_key=True))'
        write_revision(project, revision, down, body, multidb=template == "multidb")
    found = Started(project, urls, toml)
    with contextlib.redirect_stderr(io.StringIO()), nothing_imported():
        command.upgrade(found.config(), "head")
    return found


@pytest.mark.parametrize(("template", "engine"), CASES)
def test_a_healthy_project_is_silent(started: Started, template: str) -> None:
    before = started.state()
    run = started.project.doctor().expect(0)

    assert run.codes == set()
    assert {check["status"] for check in run.json["checks"]} <= {"ok", "not-applicable"}
    assert len(run.json["databases"]) == len(started.urls)
    assert started.state() == before


@pytest.mark.parametrize(("template", "engine", "damage"), DAMAGED)
def test_a_damage_is_found_and_nothing_else(started: Started, template: str, damage: Damage) -> None:
    """Where one URL is in the settings, the database is looked at although env.py fails; multidb has two."""
    damage.do(started.patient())
    before = started.state()
    report = started.diagnose()

    assert {finding["code"] for finding in report["findings"]} == damage.codes, _said(report)
    examined = template != "multidb" or damage.name != "env_py_raises"
    assert report["exit_code"] == (damage.exit_code if examined else 2), _said(report)
    assert started.state() == before


def _said(report: Mapping[str, Any]) -> str:
    return "\n".join(f"{one['code']} {one['summary']}" for one in report["findings"])


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_placeholder_of_the_template_is_no_database(template: str, engine: str, started: Started) -> None:
    text = re.sub(
        r"^sqlalchemy\.url = .*$",
        "sqlalchemy.url = driver://user:pass@localhost/dbname",
        started.project.ini.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    started.project.write("alembic.ini", text)
    report = started.diagnose()

    assert report["exit_code"] == 2
    # the multidb template reads its addresses from sections of its own: what fails is env.py's own address
    expected = "AX107" if template == "multidb" else "AX104"
    assert {finding["code"] for finding in report["findings"]} == {expected}, _said(report)


@pytest.mark.parametrize("template", [one for one in TEMPLATES if one != "multidb"])
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_statement_before_configure_is_found(template: str, engine: str, started: Started) -> None:
    """Multidb begins its transactions itself, before it configures."""
    started.patient().edit_env(
        r"^( +)context\.configure\(\n? *connection=", r'\1connection.execute(text("SELECT 1"))\n\g<0>'
    )
    started.patient().edit_env(r"\A", "from sqlalchemy import text\n")
    report = started.diagnose()

    assert [finding["code"] for finding in report["findings"]] == ["AX115"], _said(report)
    assert report["exit_code"] == 1
