"""A password with every awkward character works in every shape of the configuration, and is shown nowhere."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.project import DOORS, Project, Run, environment
from tests.servers import Server

PASSWORD = "p%w@r:d/#é"
WRONG = "wr%ng@p:ss/#ö"
ENGINES = ["mariadb", "postgresql"]
DRIVERS = {"mariadb": ("mysql", "pymysql"), "postgresql": ("postgresql", "psycopg")}


def forms(secret: str) -> set[str]:
    """Every way in which a password could be shown."""
    quoted = (quote(secret, safe=""), quote(secret), quote_plus(secret))
    coded = [base64.b64encode(secret.encode(encoding)).decode() for encoding in ("utf-8", "latin-1")]
    escaped = (repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1])
    return {
        secret,
        secret.replace("%", "%%"),
        *quoted,
        *(form.lower() for form in quoted),
        *escaped,
        *coded,
        *(form.rstrip("=") for form in coded),
        secret.encode().hex(),
    }


def shown_in(text: str, *secrets: str) -> list[str]:
    """The forms of the secrets that a text holds; half of one is enough."""
    every = {form for secret in secrets for form in forms(secret)}
    every |= {secret[:6] for secret in secrets} | {secret[-6:] for secret in secrets}
    return sorted(form for form in every if form in text)


def test_the_search_itself_finds_every_form() -> None:
    for form in forms(PASSWORD):
        assert shown_in(f"before {form} after", PASSWORD)
    assert not shown_in("mysql://app:***@h/d", PASSWORD)


def hidden(run: Run, *secrets: str) -> Run:
    """The run, in whose output no form of the secrets is."""
    for where, text in (("stdout", run.stdout), ("stderr", run.stderr)):
        assert shown_in(text, *secrets) == [], f"{where} of {' '.join(run.command)} shows a password"
    return run


class Account:
    """A database of a real server, and an account with that password that may do everything in it."""

    def __init__(self, server: Server, name: str) -> None:
        self.dialect, self.driver = DRIVERS[name]
        self.port = server.port
        self.name = server.create_database()
        self.user = server.create_user(password=PASSWORD)
        if name == "mariadb":
            server.run(f"GRANT ALL ON {self.name}.* TO '{self.user}'@'%%'")
        else:
            server.run(f"GRANT ALL ON SCHEMA public TO {self.user}", database=self.name)

    def url(self, password: str = PASSWORD, *, driver: str | None = None, port: int | None = None) -> str:
        """The address, quoted as a URL must be."""
        return (
            f"{self.dialect}+{driver or self.driver}://{self.user}:{quote(password, safe='')}"
            f"@127.0.0.1:{port or self.port}/{self.name}"
        )

    def parts(self, password: str, *, key: str = "user", name: str = "name") -> str:
        return f"host: 127.0.0.1\nport: {self.port}\n{key}: {self.user}\npassword: '{password}'\n{name}: {self.name}\n"


@pytest.fixture(params=ENGINES)
def account(request: pytest.FixtureRequest) -> Account:
    return Account(request.getfixturevalue(request.param), request.param)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A project in version control, whose logging says everything there is to say."""
    project = Project.create(tmp_path / "shop", helper="", ini={"sqlalchemy.url": ""})
    loud = (
        project.ini.read_text()
        .replace("level = WARNING", "level = DEBUG")
        .replace("level = INFO", "level = DEBUG")
    )
    project.ini.write_text(loud)
    return project


def nested(text: str, *keys: str) -> str:
    for key in reversed(keys):
        text = f"{key}:\n{textwrap.indent(text, '  ')}"
    return text


VARIABLE = "${SHOP_PASSWORD}"
SHAPES: dict[str, Callable[[Account], str]] = {
    "a URL": lambda one: f"database: {one.url()}\n",
    "a URL with the password as it is": lambda one: f"database: '{one.url().replace(quote(PASSWORD, safe=''), PASSWORD)}'\n",
    "database.url": lambda one: f"database: {{url: '{one.url()}'}}\n",
    "sqlalchemy.url": lambda one: f"sqlalchemy: {{url: '{one.url()}'}}\n",
    "database_url": lambda one: f"database_url: '{one.url()}'\n",
    "DATABASE_URL": lambda one: f"DATABASE_URL: '{one.url()}'\n",
    "db.url": lambda one: f"db: {{url: '{one.url()}'}}\n",
    "a URL with a variable in it": lambda one: f"database: '{one.url().replace(quote(PASSWORD, safe=''), VARIABLE)}'\n",
    "a section chosen by type": lambda one: nested(
        f"type: {one.dialect}\n{one.dialect}:\n"
        + textwrap.indent(one.parts(PASSWORD, key="username", name="database"), "  "),
        "database",
    ),
    "parts": lambda one: nested(f"dialect: {one.dialect}\ndriver: {one.driver}\n{one.parts(PASSWORD)}", "database"),
    "parts with a variable": lambda one: nested(
        f"dialect: {one.dialect}\ndriver: {one.driver}\n{one.parts(VARIABLE)}", "database"
    ),
    "a variable for the whole": lambda _one: "database: ${SHOP_URL}\n",
}  # fmt: skip


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=list(SHAPES))
@pytest.mark.parametrize("account", ["mariadb", "postgresql"], indirect=True)
def test_it_works_in_every_shape_and_is_shown_by_no_door(
    shop: Project, account: Account, number: int
) -> None:
    shop.write_config(list(SHAPES.values())[number](account))
    door = DOORS[number % len(DOORS)]
    variables = {"SHOP_PASSWORD": PASSWORD, "SHOP_URL": account.url()}

    report = hidden(shop.doctor("--verbose", door=door, env=variables), PASSWORD).expect(0)
    assert report.codes == {"AX303"}
    hidden(shop.through(door, "upgrade", "head", env=variables), PASSWORD).expect(0)


@pytest.mark.parametrize(
    ("account", "door"), [(ENGINES[n % 2], door) for n, door in enumerate(DOORS)], indirect=["account"]
)
def test_stock_commands_show_it_nowhere_however_much_they_log(
    shop: Project, account: Account, door: str
) -> None:
    shop.write_config(f"database: {account.url()}\n")
    shop.write("migrations/env.py", ECHO)

    for command in (("upgrade", "head"), ("current", "-v"), ("upgrade", "base:head", "--sql")):
        run = hidden(shop.through(door, *command), PASSWORD).expect(0)
        assert "--sql" in command or "SELECT" in run.stderr, "nothing was logged"
    text = hidden(shop.doctor("-v", door=door, json=False, options=("--raiseerr",)), PASSWORD).expect(0)
    assert "Traceback" not in text.stderr


ECHO = """
import logging
import sqlalchemy
from alembic_ext.env import run_migrations

logging.basicConfig(level=logging.DEBUG)
create = sqlalchemy.create_engine
import alembic_ext.env
alembic_ext.env.create_engine = lambda url, **options: create(url, **{**options, "echo": "debug", "echo_pool": "debug"})
run_migrations()
"""


@pytest.fixture
def silent() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def deaf() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def fails_quietly(project: Project, door: str, *secrets: str, codes: set[str]) -> None:
    """The doctor and a stock command, quiet and with every traceback that can be had."""
    run = hidden(project.doctor("--verbose", door=door, options=("--raiseerr",)), *secrets)
    assert (run.exit_code, run.codes) == (2, codes), str(run)
    assert hidden(project.through(door, "current"), *secrets).exit_code == 255
    loud = hidden(project.through(door, "upgrade", "head", options=("--raiseerr",)), *secrets)
    assert loud.exit_code == 1
    assert "Traceback" in loud.stderr


@pytest.mark.parametrize("account", ["mariadb", "postgresql"], indirect=True)
def test_a_wrong_password_is_not_shown(shop: Project, account: Account) -> None:
    shop.write_config(f"database: {account.url(WRONG)}\n")
    fails_quietly(shop, "plugin", WRONG, codes={"AX109"})
    shop.write_config(
        nested(f"dialect: {account.dialect}\ndriver: {account.driver}\n{account.parts(WRONG)}", "database")
    )
    fails_quietly(shop, "runner", WRONG, codes={"AX109"})


@pytest.mark.parametrize("driver", ["mysql+pymysql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_a_server_that_is_not_reached_gets_no_password_shown(
    shop: Project, silent: int, deaf: int, driver: str
) -> None:
    shop.write_ini({"sqlalchemy.url": ""}, own={"connect_timeout": "1"})
    quoted = quote(PASSWORD, safe="")
    for door, place in (("module", f"127.0.0.1:{deaf}"), ("plugin-module", f"127.0.0.1:{silent}"), ("plugin", "no-such-host.invalid")):  # fmt: skip
        shop.write_config(f"database: {driver}://app:{quoted}@{place}/shop\n")
        fails_quietly(shop, door, PASSWORD, codes={"AX108"})


BROKEN = {
    "an unknown dialect": "database: oracel://app:{raw}@h/shop\n",
    "a port that is no number": "database: mysql://app:{quoted}@h:abc/shop\n",
    "a port that is no number beside the password": "database: {{dialect: mysql, host: h, port: abc, user: app, password: '{raw}', name: d}}\n",
    "no URL at all": "database: {{url: 'mysql//app:{raw}@h/shop'}}\n",
    "broken YAML": "database: {{url: 'mysql://app:{quoted}@h/shop'\npassword: [\"{raw}\n",
    "a key given twice": "database: 'mysql://app:{quoted}@h/shop'\ndatabase: 'mysql://app:{quoted}@h/shop'\n",
    "an unset variable": "database: 'mysql://app:{quoted}@${{NOT_SET}}/shop'\n",
    "a bad option": "database: {{dialect: mysql, host: h, user: app, password: '{raw}', name: d, pool: {{size: '{raw}'}}}}\n",
}


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=list(BROKEN))
def test_a_configuration_that_cannot_be_used_is_not_quoted(shop: Project, number: int) -> None:
    shop.write_config(
        list(BROKEN.values())[number].format(raw=PASSWORD, quoted=quote(PASSWORD, safe="")), "conf.yaml"
    )
    named = {"CONFIG_FILE": "conf.yaml"}
    door = DOORS[number % len(DOORS)]

    for arguments, options in ((("--verbose",), ("--raiseerr",)), ((), ())):
        run = hidden(shop.doctor(*arguments, door=door, options=options, env=named), PASSWORD).expect(2)
        assert run.codes <= {"AX102", "AX103"}, str(run)
        hidden(shop.through(door, "current", options=options, env=named), PASSWORD)
    hidden(shop.doctor("--verbose", door=door, env=named, json=False), PASSWORD).expect(2)
    hidden(shop.through(door, "upgrade", "head", "--sql", env=named), PASSWORD)


@pytest.mark.parametrize("door", ["runner", "module", "script", "plugin"])
def test_a_single_percent_in_the_ini_is_not_quoted(shop: Project, door: str) -> None:
    """configparser's own message is the value."""
    shop.ini.write_text(
        shop.ini.read_text().replace("sqlalchemy.url = ", f"sqlalchemy.url = mysql://app:{PASSWORD}@h/shop")
    )

    run = hidden(shop.doctor("-v", door=door, options=("--raiseerr",)), PASSWORD).expect(2)
    assert run.codes == {"AX113"}
    hidden(shop.through(door, "current"), PASSWORD).expect(255)
    hidden(shop.through(door, "current", options=("--raiseerr",)), PASSWORD)


CARELESS = {
    "raises": "raise RuntimeError(f'cannot use {url}')",
    "raises from": "try:\n    raise ValueError(url)\nexcept ValueError as error:\n    raise RuntimeError(url) from error",
    "exits": "import sys\nsys.exit(f'cannot use {url}')",
    "fails while connecting": "import sqlalchemy\nsqlalchemy.create_engine(url + 'x', connect_args={'connect_timeout': 1}).connect()",
}


@pytest.mark.parametrize("careless", CARELESS)
@pytest.mark.parametrize("account", ["mariadb", "postgresql"], indirect=True)
def test_what_env_py_raises_is_shown_without_it(shop: Project, account: Account, careless: str) -> None:
    """The doctor quotes env.py's own words; what env.py itself prints is its own affair."""
    shop.write_config(f"database: {account.url()}\n")
    shop.write(
        "migrations/env.py",
        "from alembic_ext.env import database_url\n"
        f"url = database_url().render_as_string(hide_password=False)\n{CARELESS[careless]}\n",
    )

    for door, json_wanted in (("plugin", True), ("runner", False)):
        run = shop.doctor("--verbose", door=door, json=json_wanted)
        hidden(run, PASSWORD)
        assert "AX1" in run.stdout


def test_a_check_that_crashes_shows_its_traceback_without_it(shop: Project, account: Account) -> None:
    shop.write_config(f"database: {account.url()}\n")
    program = (
        "import sys; from alembic_ext import checks; from alembic_ext.cli import main\n"
        "check = next(one for one in checks.registered_checks() if one.code == 'AX304')\n"
        f"def crash(**facts): secret = {PASSWORD!r}; raise RuntimeError(f'cannot use {{secret}} {account.url()}')\n"
        "object.__setattr__(check, 'rule_function', crash)\n"
        "main(sys.argv[1:])\n"
    )
    script = shop.write("crashing.py", program)
    for arguments in (("--verbose",), ("--format", "json", "--verbose"), ()):
        run = shop.execute(sys.executable, str(script), "doctor", *arguments).expect(2)
        assert "AX901" in run.stdout
        hidden(run, PASSWORD)


def test_no_process_is_started_with_it(shop: Project, account: Account) -> None:
    """Neither our own command line nor that of a child (git) holds it, nor does a child's environment."""
    shop.commit()
    shop.revision("ddd4", "ccc3")  # for git to speak of
    shop.write_config(
        nested(f"dialect: {account.dialect}\ndriver: {account.driver}\n{account.parts(PASSWORD)}", "database")
    )
    slow = shop.write("bin/git", '#!/bin/sh\nsleep 0.2\nexec /usr/bin/git "$@"\n')
    slow.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic_ext", "doctor"],
        cwd=shop.root,
        env=environment({"PATH": f"{slow.parent}{os.pathsep}{os.environ['PATH']}"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    seen: dict[str, str] = {}
    while process.poll() is None:
        seen |= family(process.pid)
        time.sleep(0.01)
    out = process.communicate()[0].decode()

    assert process.returncode == 0, out
    assert any("git" in name for name in seen), "no child was seen"
    assert shown_in("\n".join(seen.values()), PASSWORD) == []
    assert shown_in(out, PASSWORD) == []


def family(pid: int) -> dict[str, str]:
    """Command line and environment of a process and of all its descendants, as others see them."""
    found: dict[str, str] = {}
    todo = [pid]
    while todo:
        one = Path(f"/proc/{todo.pop()}")
        try:
            command = (one / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            variables = (one / "environ").read_bytes().decode(errors="replace")
            todo += [
                int(child)
                for task in (one / "task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except OSError:  # gone in the meantime
            continue
        found[f"{one.name} {command}"] = f"{command}\n{variables}"
    return found


def test_what_the_user_typed_is_repeated_without_it(shop: Project) -> None:
    """Commands to paste begin as the user began; what ``-x`` may hold besides is not ours to show."""
    shop.write_config(f"database: mysql://app:{quote(PASSWORD, safe='')}@127.0.0.1:1/shop\n")
    for typed in (f"url=mysql://app:{quote(PASSWORD, safe='')}@h/shop", f"password={PASSWORD}"):
        for json_wanted in (True, False):
            run = shop.doctor(options=("-x", typed), json=json_wanted).expect(2)
            assert "AX108" in run.stdout
            hidden(run, PASSWORD)
