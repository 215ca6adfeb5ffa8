"""What every test may use: private servers, empty databases, small projects."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.project import Project, package_is_installed
from tests.servers import SERVERS, Server

CHECKOUT = Path(__file__).resolve().parent.parent
NEEDED = ("mariadb", "postgresql")
"""Servers that have to be there unless somebody says otherwise. MySQL's own is used where it is found."""

_RUN_FOLDER = pytest.StashKey[Path]()
_LEFT_OUT = pytest.StashKey["dict[str, int]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without",
        default="",
        metavar="SERVERS",
        help="leave out the tests that need these servers, for instance mariadb,postgresql",
    )


def pytest_configure(config: pytest.Config) -> None:
    unknown = _without(config) - set(SERVERS)
    if unknown:
        raise pytest.UsageError(
            f"--without: unknown server {', '.join(sorted(unknown))}; known: {', '.join(SERVERS)}"
        )
    if not package_is_installed() and not _source_is_meant():
        raise pytest.UsageError(
            "alembic_ext is not installed in this environment, it would be the source tree that is tested. "
            "Run the tests with make.py, or, while developing, with ALEMBIC_EXT_FROM_SOURCE=1 or PYTHONPATH."
        )
    config.addinivalue_line(
        "markers", "needs(server): the test starts or uses this server without its fixture"
    )
    worker = getattr(config, "workerinput", None)
    config.stash[_RUN_FOLDER] = Path(worker["run_folder"]) if worker else servers.new_run_folder()
    config.stash[_LEFT_OUT] = {}


def pytest_report_header() -> list[str]:
    import alembic
    import sqlalchemy

    place = "the installed package" if package_is_installed() else "the SOURCE TREE, not an installed package"
    return [f"testing {place}; alembic {alembic.__version__}, sqlalchemy {sqlalchemy.__version__}"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each parallel worker which servers are the run's."""
    node.workerinput["run_folder"] = str(node.config.stash[_RUN_FOLDER])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects the same tests, so each counts the same that were left out."""
    node.config.stash[_LEFT_OUT].update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash[_LEFT_OUT]


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_RUN_FOLDER, None)
    if folder is not None and not hasattr(config, "workerinput"):
        servers.end_run(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``--without`` names, and count it: it must be said at the end."""
    without = _without(config)
    left_out = config.stash[_LEFT_OUT]
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        missing = _needs(item) & without
        for name in missing:
            left_out[name] = left_out.get(name, 0) + 1
        (dropped if missing else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for name, count in sorted(config.stash[_LEFT_OUT].items()):
        terminalreporter.write_sep("!", f"NOT RUN: {count} tests that need {name}", red=True, bold=True)
    if "mysql" not in _kinds():
        terminalreporter.write_line(
            "NOT RUN: nothing was tried on MySQL's own server, no mysqld of MySQL was found. MariaDB stands for both.",
            yellow=True,
        )


def _without(config: pytest.Config) -> set[str]:
    return {name for name in str(config.getoption("--without")).replace(" ", "").split(",") if name}


def _needs(item: pytest.Item) -> set[str]:
    """The servers that a test uses: by fixture, by parameter, or by its mark."""
    names = {name for name in getattr(item, "fixturenames", ()) if name in SERVERS}
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    names |= {value for value in parameters.values() if isinstance(value, str) and value in SERVERS}
    return names | {str(name) for mark in item.iter_markers("needs") for name in mark.args}


def _source_is_meant() -> bool:
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return bool(os.environ.get("ALEMBIC_EXT_FROM_SOURCE")) or str(CHECKOUT) in path


def _kinds() -> tuple[str, ...]:
    return (*NEEDED, *(["mysql"] if SERVERS["mysql"].program() else []))


def _obtain(request: pytest.FixtureRequest, name: str) -> Server:
    try:
        return servers.obtain(name, request.config.stash[_RUN_FOLDER])
    except servers.ServerMissingError as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def mariadb(request: pytest.FixtureRequest) -> Server:
    """A private MariaDB server."""
    return _obtain(request, "mariadb")


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Server:
    """A private PostgreSQL server."""
    return _obtain(request, "postgresql")


@pytest.fixture(scope="session")
def mysql(request: pytest.FixtureRequest) -> Server:
    """A private server of MySQL itself, where one is installed."""
    return _obtain(request, "mysql")


@pytest.fixture(scope="session", params=_kinds())
def server(request: pytest.FixtureRequest) -> Server:
    """Each server in turn."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=("sqlite", *_kinds()))
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, on each engine in turn. The SQLite file does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    one: Server = request.getfixturevalue(request.param)
    return one.url(one.create_database())


@pytest.fixture(autouse=True)
def _drop_what_the_test_made(request: pytest.FixtureRequest) -> Iterator[None]:
    used = [request.getfixturevalue(name) for name in _needs(request.node) if name in SERVERS]
    before = [(len(one.databases), len(one.users)) for one in used]
    yield
    for one, (databases, users) in zip(used, before, strict=True):
        one.drop(one.databases[databases:], one.users[users:])
        del one.databases[databases:], one.users[users:]


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the developer's machine reaches a test: no variable, no git identity, no cache folder."""
    for name in list(os.environ):
        if name.startswith(
            ("ALEMBIC_CONFIG", "CONFIG_FILE", "ALEMBIC_EXT_STATE", "MYSQL_", "PG", "DATABASE_", "GIT_")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.org")


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Write a small real project: ``project(url=..., at="head")``. See :class:`tests.project.Project`."""

    def build(**options: Any) -> Project:
        return Project.create(tmp_path / options.pop("name", "project"), **options)

    return build


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter that runs the tests."""
    return sys.executable
