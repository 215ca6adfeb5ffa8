"""What cannot be used gets one clear sentence and exit code 2, through every door, and never a traceback.

Not covered: an env.py that ends the process behind Python's back (``os._exit``, a signal to itself). Nothing can
be said then, and the exit code is env.py's.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.project import DOORS, Project
from tests.servers import Server

SECRET = "Sesame-street-77"
NAMED = {"CONFIG_FILE": "conf.yaml"}
Breaking = Callable[[Project], object]


@dataclass(frozen=True)
class Case:
    """One way to go wrong.

    :param says: what the finding's sentence holds: file, line, key, reason.
    :param advice: what the hint holds.
    :param stock: what a stock command through our helper says, when it is our helper that raises.
    """

    id: str
    code: str
    breaking: Breaking
    says: tuple[str, ...]
    advice: str = ""
    stock: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)


def written(content: str | bytes, name: str = "conf.yaml") -> Breaking:
    return lambda project: project.write(name, content)


def nothing(_project: Project) -> None:
    """The file is simply not there."""


def a_directory(project: Project) -> None:
    (project.root / "conf.yaml").mkdir()


def unreadable(project: Project) -> None:
    """Permissions do not hold root back; a file whose first byte is an error does."""
    (project.root / "conf.yaml").symlink_to("/proc/self/mem")


def a_pipe(project: Project) -> None:
    """Reading it would wait for ever."""
    os.mkfifo(project.root / "conf.yaml")


ALIASES = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join([f'*{last}'] * 10)}]\n"
    for last, this in zip("abcdefgh", "bcdefghi", strict=True)
)
FIFTY_MEGABYTES = b"#" + b" many words\n" * (50 * 2**20 // 12)

CONFIGURATIONS = [
    Case("missing", "AX101", nothing, ("CONFIG_FILE names", "conf.yaml", "does not exist"), "Name a file that exists."),
    Case("empty", "AX104", written(""), ("conf.yaml is empty", "database"), "Add one of these keys"),
    Case("binary", "AX102", written(b"\x89PNG\0\x01"), ("conf.yaml is a binary file",), "Name a text file"),
    Case("latin-1", "AX102", written("a: 1\ndatabase: é".encode("latin-1")), ("conf.yaml is not UTF-8 (line 2)",), "Save it as UTF-8."),
    Case("directory", "AX102", a_directory, ("conf.yaml is a directory",), "Name the file inside it."),
    Case("unreadable", "AX102", unreadable, ("conf.yaml cannot be read",), "Check the file's permissions."),
    Case("pipe", "AX102", a_pipe, ("conf.yaml is not a regular file",), "Name a regular file."),
    Case("50-MB", "AX102", written(FIFTY_MEGABYTES), ("conf.yaml is larger than 1 MiB",), "Name the configuration file"),
    Case("deeply-nested", "AX102", written("{a: " * 5000 + "1" + "}" * 5000), ("conf.yaml is nested deeper", "line 1"), "Name a configuration"),
    Case("alias-bomb", "AX102", written(ALIASES + "database: *i\n"), ("conf.yaml holds more than", "line "), "Name a configuration"),
    Case("broken-YAML", "AX102", written(f"password: {SECRET}\ndatabase: ['{SECRET}'\nb: c"), ("conf.yaml is not YAML", "line 3"), "Correct the YAML there."),
    Case("a-list", "AX102", written("- database\n"), ("conf.yaml is not a mapping",), "Write 'database: ...'"),
    Case("key-twice", "AX102", written("database: a\ndatabase: b\n"), ("conf.yaml gives the key database twice", "lines 1 and 2"), "Remove one"),
    Case("unset-variable", "AX103", written("database: ${NOT_SET_ANYWHERE}\n"), ("conf.yaml line 1: database", "NOT_SET_ANYWHERE"), "Set NOT_SET_ANYWHERE"),
    Case("dialect", "AX102", written(f"\ndatabase: oracel://app:{SECRET}@h/shop\n"), ("conf.yaml line 2: database", "'oracel'"), "Known are sqlite"),
    Case("port-in-URL", "AX102", written(f"database: {{url: 'mysql://app:{SECRET}@h:abc/shop'}}\n"), ("conf.yaml line 1: database.url", "port"), "such as 3306"),
    Case("port", "AX102", written("database:\n  dialect: mysql\n  host: h\n  port: abc\n  name: shop\n"), ("conf.yaml line 4: database.port", "port"), "such as 3306"),
]  # fmt: skip


def env_py(text: str) -> Breaking:
    return written(text, "migrations/env.py")


def no_env_py(project: Project) -> None:
    (project.root / "migrations/env.py").unlink()


ENV_SCRIPTS = [
    Case("raises", "AX111", env_py("\nraise RuntimeError('no luck')\n"), ("env.py raises RuntimeError (env.py, line 2): no luck",), "alembic current"),
    Case("exits", "AX111", env_py("import sys\nsys.exit('I am leaving')\n"), ("env.py ends the process (env.py, line 2): I am leaving",), "env.py"),
    Case("exits-with-0", "AX111", env_py("import sys\nsys.exit(0)\n"), ("env.py ends the process (env.py, line 2)",), "env.py"),
    Case("never-runs", "AX111", env_py("from alembic import context\n"), ("without calling context.run_migrations()",), "Call context.run_migrations()"),
    Case("missing", "AX111", no_env_py, ("There is no env.py in ", "migrations"), "alembic init"),
    Case("syntax-error", "AX111", env_py("\n\ndef f(:\n"), ("env.py raises SyntaxError (env.py, line 3): it cannot be parsed",), "env.py"),
]  # fmt: skip


def ini(change: Callable[[bytes], bytes]) -> Breaking:
    return lambda project: project.write("alembic.ini", change(project.ini.read_bytes()))


def no_ini(project: Project) -> None:
    project.ini.unlink()


def with_percent(text: bytes) -> bytes:
    return text.replace(b"sqlalchemy.url = ", f"sqlalchemy.url = mysql://app:{SECRET}%@h/shop\n# ".encode())


INIS = [
    Case("no-ini", "", no_ini, ("There is no Alembic project here", "alembic.ini does not exist"), "-c PATH/alembic.ini"),
    Case("bom", "AX113", ini(lambda text: b"\xef\xbb\xbf" + text), ("alembic.ini begins with a byte order mark",), "without BOM", stock=False),
    Case("percent", "AX113", ini(with_percent), ("alembic.ini", "[alembic] sqlalchemy.url holds a single %"), "Write %%"),
    Case("gbk", "", ini(lambda text: "# 配置\n".encode("gbk") + text), ("alembic.ini is not UTF-8 (line 1)",), "Save it as UTF-8."),
    Case("no-sections", "", written("script_location = migrations\n", "alembic.ini"), ("alembic.ini is not a valid ini file", "line 1"), "Correct that line."),
    Case("no-script-location", "", ini(lambda text: text.replace(b"script_location", b"script_place")), ("alembic.ini has no script_location",), "-c PATH/alembic.ini"),
]  # fmt: skip


@pytest.fixture
def healthy(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop", helper="", at="head", own={"connect_timeout": "2"})


def each(cases: list[Case]) -> pytest.MarkDecorator:
    """Every case, each through another door, and every door several times."""
    return pytest.mark.parametrize(
        ("case", "door"),
        [pytest.param(case, DOORS[n % len(DOORS)], id=case.id) for n, case in enumerate(cases)],
    )


def said_once(
    project: Project, case: Case, door: str, *, exit_code: int = 2, codes: set[str] | None = None
) -> None:
    """The doctor reports the case and nothing else: one sentence, no traceback, no secret."""
    run = project.doctor(door=door, env=case.variables).expect(exit_code)
    for output in (run.stdout, run.stderr):
        assert "Traceback" not in output, str(run)
        assert SECRET not in output
    if case.code:
        assert run.codes == (codes or {case.code})
        (finding,) = (one for one in run.json["findings"] if one["code"] == case.code)
        sentence, advice = finding["summary"], str(finding["next_actions"])
        assert "\n" not in sentence
    else:  # there is no project that a report could be about
        assert run.stdout == ""
        sentence, advice = run.stderr.splitlines()
        assert sentence.startswith("error: ")
    for words in case.says:
        assert words in sentence
    assert case.advice in advice


def stock_says_it_too(project: Project, case: Case, door: str) -> None:
    """A stock command ends as Alembic's own errors do: 255, and the sentence after FAILED."""
    run = project.through(door, "current", env=case.variables).expect(255)
    assert run.stdout.startswith("FAILED: ")
    assert "Traceback" not in run.stdout + run.stderr
    assert SECRET not in run.stdout + run.stderr
    for words in case.says if case.code else ():
        assert words in run.stdout


@each(CONFIGURATIONS)
def test_a_configuration_that_cannot_be_used(healthy: Project, case: Case, door: str) -> None:
    case = replace(case, variables=NAMED)
    case.breaking(healthy)

    said_once(healthy, case, door)
    stock_says_it_too(healthy, case, door)


@each(ENV_SCRIPTS)
def test_an_env_py_that_does_not_do_its_work(healthy: Project, case: Case, door: str) -> None:
    """The database that the settings name is looked at all the same: that is a verdict, hence exit code 1."""
    case.breaking(healthy)

    said_once(healthy, case, door, exit_code=1)
    assert healthy.doctor(door=door).json["databases"][0]["record"]["rows"] == ["ccc3"]


@each(INIS)
def test_an_alembic_ini_that_cannot_be_used(healthy: Project, case: Case, door: str) -> None:
    case.breaking(healthy)

    said_once(healthy, case, door, exit_code=1 if case.id == "bom" else 2)
    if case.stock and door not in {"plugin", "plugin-module"}:  # there Alembic reads its ini before we can
        stock_says_it_too(healthy, case, door)


def test_a_script_location_that_is_not_there(healthy: Project) -> None:
    healthy.write_ini({"script_location": "%(here)s/nowhere"})
    case = Case("", "AX111", nothing, ("There is no env.py in ", "nowhere"))

    said_once(healthy, case, "plugin", exit_code=1, codes={"AX111", "AX201"})


@pytest.mark.parametrize("door", DOORS)
def test_every_door_says_the_same_of_a_missing_configuration(healthy: Project, door: str) -> None:
    case = replace(CONFIGURATIONS[0], variables=NAMED)

    said_once(healthy, case, door)
    stock_says_it_too(healthy, case, door)
    text = healthy.doctor(door=door, env=NAMED, json=False).expect(2)
    assert "ERROR  AX101 config-file-not-found" in text.stdout
    assert "Traceback" not in text.stdout + text.stderr


# -- servers -----------------------------------------------------------------------------------------------

DRIVERS = ("mysql+pymysql", "postgresql+psycopg", "postgresql+asyncpg")


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def deaf() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def connects_to(healthy: Project, url: str) -> None:
    healthy.write_config(f"database: {url}\n")


@pytest.mark.parametrize(("driver", "door"), [*zip(DRIVERS, ("plugin", "runner", "module"), strict=True)])
def test_a_host_that_cannot_be_found(healthy: Project, driver: str, door: str) -> None:
    connects_to(healthy, f"{driver}://app:{SECRET}@no-such-host.invalid/shop")
    case = Case(
        "", "AX108", nothing, (f"{driver}://app:***@no-such-host.invalid/shop cannot be reached",), "host"
    )

    said_once(healthy, case, door)
    stock_says_it_too(healthy, case, door)


@pytest.mark.parametrize(
    ("driver", "door"), [*zip(DRIVERS, ("script", "plugin-module", "plugin"), strict=True)]
)
def test_a_server_that_does_not_listen(healthy: Project, deaf: int, driver: str, door: str) -> None:
    connects_to(healthy, f"{driver}://app:{SECRET}@127.0.0.1:{deaf}/shop")
    case = Case(
        "", "AX108", nothing, (f"{driver}://app:***@127.0.0.1:{deaf}/shop cannot be reached",), "running"
    )

    said_once(healthy, case, door)
    stock_says_it_too(healthy, case, door)


@pytest.mark.parametrize(("driver", "door"), [*zip(DRIVERS, ("runner", "plugin", "script"), strict=True)])
def test_a_server_that_accepts_and_says_nothing(
    healthy: Project, silent: int, driver: str, door: str
) -> None:
    """``connect_timeout`` ends the wait, in stock commands too."""
    connects_to(healthy, f"{driver}://app:{SECRET}@127.0.0.1:{silent}/shop")
    case = Case("", "AX108", nothing, (f"127.0.0.1:{silent}/shop cannot be reached: ",), "running")

    said_once(healthy, case, door)
    stock_says_it_too(healthy, case, door)


def address(server: Server, driver: str, database: str, password: str | None = None) -> str:
    user = server.create_user()
    return server.url(database, user=user, driver=driver, **({"password": password} if password else {}))


@pytest.mark.parametrize(
    ("driver", "door"),
    [
        pytest.param("mysql+pymysql", "module", marks=pytest.mark.needs("mariadb")),
        pytest.param("postgresql+psycopg", "script", marks=pytest.mark.needs("postgresql")),
        pytest.param("postgresql+asyncpg", "plugin-module", marks=pytest.mark.needs("postgresql")),
    ],
)
def test_a_wrong_password_and_a_missing_database(
    healthy: Project, request: pytest.FixtureRequest, driver: str, door: str
) -> None:
    server: Server = request.getfixturevalue("mariadb" if driver.startswith("mysql") else "postgresql")
    connects_to(healthy, address(server, driver, server.create_database(), password=SECRET))
    refused = Case("", "AX109", nothing, ("refused the account",), "Check user and password")
    said_once(healthy, refused, door)
    stock_says_it_too(healthy, refused, door)

    connects_to(healthy, server.url("no_such_database", driver=driver))
    missing = Case("", "AX110", nothing, ("database is not there", "no_such_database"), "Create it")
    said_once(healthy, missing, door)
    stock_says_it_too(healthy, missing, door)


# -- SQLite ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite"])
def test_a_file_that_somebody_holds(healthy: Project, driver: str) -> None:
    connects_to(healthy, f"{driver}:///app.db")
    case = Case("", "AX108", nothing, ("app.db cannot be reached: database is locked",), "another program")
    with closing(sqlite3.connect(healthy.root / "app.db", isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        said_once(healthy, case, "plugin")
        stock_says_it_too(healthy, case, "runner")


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite"])
def test_a_file_that_is_no_database(healthy: Project, driver: str) -> None:
    connects_to(healthy, f"{driver}:///notes.txt")
    notes = healthy.write("notes.txt", "these are notes, and no database\n" * 100)
    before = notes.read_bytes()
    case = Case("", "AX108", nothing, ("notes.txt cannot be ", ": file is not a database"), "the right file")

    said_once(healthy, case, "module")
    stock_says_it_too(healthy, case, "plugin")
    assert notes.read_bytes() == before


def test_a_folder_that_is_no_database(healthy: Project) -> None:
    connects_to(healthy, "sqlite:///migrations")
    case = Case("", "AX108", nothing, ("migrations cannot be ",), "file")

    said_once(healthy, case, "runner")
    stock_says_it_too(healthy, case, "plugin-module")


def test_a_program_gets_the_exception_of_the_driver(healthy: Project, deaf: int) -> None:
    """Who calls Alembic from Python may wait and try again: it is on a command line only that we say it ourselves."""
    connects_to(healthy, f"mysql+pymysql://app:{SECRET}@127.0.0.1:{deaf}/shop")
    program = (
        "import sys; from alembic.config import Config; from alembic import command; import sqlalchemy.exc\n"
        "try:\n    command.current(Config('alembic.ini'))\n"
        "except sqlalchemy.exc.OperationalError as error:\n    print('caught')\n"
    )

    assert healthy.execute(sys.executable, "-c", program).expect(0).stdout == "caught\n"
