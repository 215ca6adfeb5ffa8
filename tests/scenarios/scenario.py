"""What a scenario is: a small real project in one state, and exactly what the doctor must find there."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

import alembic_ext
from tests import servers
from tests.project import Project
from tests.servers import Server

SQLITE = ("sqlite",)
SERVERS = ("mariadb", "postgresql")
MARIADB = ("mariadb",)
POSTGRESQL = ("postgresql",)
EVERY = SQLITE + SERVERS

CREATE_VERSION_TABLE = "CREATE TABLE {} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


@contextlib.contextmanager
def nothing_imported() -> Iterator[None]:
    """Forget the modules of a project, and the folder "." that Alembic puts on the path, where it is now."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    sys.path_importer_cache.pop(".", None)
    for name in set(sys.modules) & {"models", "app"} - modules:
        del sys.modules[name]


@dataclass
class World:
    """Where a scenario takes place: a folder and an empty database, and how the doctor will be asked.

    :param environ: variables for the doctor.
    :param options: options before the command name.
    :param arguments: options of the doctor's.
    :param dumped: the databases that must be the same afterwards.
    :param ended: what the world must undo when the doctor has looked.
    """

    folder: Path
    engine: str
    url: str
    server: Server | None
    monkeypatch: pytest.MonkeyPatch
    environ: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    dumped: list[str] = field(default_factory=list)
    user: str = ""
    ended: list[Callable[[], object]] = field(default_factory=list)

    def project(
        self, *, at: str | None = "head", name: str = "project", url: str | None = None, **how: Any
    ) -> Project:
        """A working project with models, migrated to ``at`` by Alembic itself; ``None`` leaves the database alone."""
        how.setdefault("models", True)
        project = Project.create(self.folder / name, url=url or self.url, **how)
        if at is not None:
            self.upgrade(project, at)
        return project

    def upgrade(self, project: Project, to: str, **config: Any) -> None:
        """Run Alembic's own upgrade, in this process."""
        self.monkeypatch.chdir(project.root)
        with contextlib.redirect_stderr(io.StringIO()), nothing_imported():
            command.upgrade(Config(str(project.ini), **config), to)

    def remove(self, project: Project, *names: str) -> None:
        """Delete revision files by the beginning of their names."""
        for name in names:
            for file in project.versions.glob(f"{name}*.py"):
                file.unlink()

    def new_database(self) -> str:
        """The address of another empty database of the same engine."""
        if self.server is None:
            path = self.folder / f"other{len(self.dumped)}.db"
            servers.run(f"sqlite:///{path}", "PRAGMA user_version = 0", "VACUUM")
            url = f"sqlite:///{path}"
        else:
            url = self.account(self.server.create_database())
        self.dumped.append(url)
        return url

    def elsewhere(self, **changes: Any) -> str:
        """The address of the database, changed."""
        return make_url(self.url).set(**changes).render_as_string(hide_password=False)

    def account(self, database: str) -> str:
        """The address of a database for an account that sees nothing of other tests, where the server shows it."""
        assert self.server is not None
        if self.server.name != "mariadb":
            return self.server.url(database)
        self.user = self.user or self.server.create_user()
        self.server.run(f"GRANT ALL PRIVILEGES ON {self.server.quote(database)}.* TO '{self.user}'@'%%'")
        return self.server.url(database, user=self.user)

    def quoted(self, name: str) -> str:
        return self.server.quote(name) if self.server else f'"{name}"'


@dataclass(frozen=True)
class Scenario:
    """One state of a project.

    :param codes: what the doctor must find: these codes and no other.
    :param evidence: what the finding's evidence must say, by code.
    """

    build: Callable[[World], Project]
    codes: frozenset[str]
    exit_code: int
    engines: tuple[str, ...]
    evidence: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        return self.build.__name__


@dataclass
class Family:
    """The scenarios of one module, in order."""

    scenarios: list[Scenario] = field(default_factory=list)

    def scenario(
        self,
        *codes: str,
        exit_code: int,
        engines: Sequence[str] = EVERY,
        evidence: Mapping[str, Any] | None = None,
    ) -> Callable[[Callable[[World], Project]], Callable[[World], Project]]:
        """Register a function that lays down the state.

        :param evidence: part of the evidence of the first code's finding.
        """

        def register(build: Callable[[World], Project]) -> Callable[[World], Project]:
            expected = {codes[0]: evidence} if evidence else {}
            self.scenarios.append(Scenario(build, frozenset(codes), exit_code, tuple(engines), expected))
            return build

        return register


def cases(family: Family) -> list[Any]:
    """The parameters ``scenario`` and ``engine`` for a test."""
    return [
        pytest.param(one, engine, id=f"{one.name}-{engine}")
        for one in family.scenarios
        for engine in one.engines
    ]


def examine(one: Scenario, world: World) -> dict[str, Any]:
    """Lay the state down, ask the doctor, and hold its answer against what is expected; the JSON report.

    On SQLite the real command line is asked, in a process of its own; on the servers, for speed, the Python API.
    """
    project = one.build(world)
    dumped = [world.url, *world.dumped]
    before = [servers.dump(url) for url in dumped], project.files()
    report = _by_command_line(project, world) if world.engine == "sqlite" else _by_api(project, world)
    for end in world.ended:
        end()
    after = [servers.dump(url) for url in dumped], project.files()
    findings = report["findings"]
    said = "\n".join(f"{each['code']} {each['summary']}" for each in findings)
    found = {check["code"] for check in report["checks"] if check["status"] == "found"}
    assert {each["code"] for each in findings} == one.codes, said
    assert found == one.codes - {"AX901"}, said
    assert report["exit_code"] == one.exit_code, f"{said}\n{_not_ok(report)}"
    assert report["ok"] == (one.exit_code == 0)
    for code, evidence in one.evidence.items():
        shown = next(each["evidence"] for each in findings if each["code"] == code)
        assert {key: shown[key] for key in evidence} == evidence
    assert after == before
    return report


def _by_command_line(project: Project, world: World) -> dict[str, Any]:
    run = project.doctor(*world.arguments, options=world.options, env=world.environ)
    assert run.exit_code == run.json["exit_code"], str(run)
    assert "Traceback" not in run.stderr, str(run)
    return run.json


def _by_api(project: Project, world: World) -> dict[str, Any]:
    assert not world.arguments, "the options of the command line are tried on SQLite"
    for name, value in world.environ.items():
        world.monkeypatch.setenv(name, value)
    world.monkeypatch.chdir(project.root)
    x = [value for name, value in zip(world.options[::2], world.options[1::2], strict=True) if name == "-x"]
    config = Config(str(project.ini), cmd_opts=Namespace(x=x) if x else None)
    return alembic_ext.doctor(config).to_dict()


def _not_ok(report: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{check['code']} {check['status']}: {check['because']}"
        for check in report["checks"]
        if check["status"] not in ("ok", "found", "not-applicable")
    )


def kill_a_writer(path: Path) -> None:
    """Let a process die in the middle of a SQLite transaction, so that its rollback journal stays."""
    program = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('CREATE TABLE IF NOT EXISTS t1 (id)')\n"
        "c.execute('BEGIN')\n"
        "c.execute('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
        " INSERT INTO t1 SELECT i FROM n')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert Path(f"{path}-journal").stat().st_size > 0
