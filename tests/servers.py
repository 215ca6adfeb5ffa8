"""Private database servers for the tests: real ones, in a temporary folder, on a free port of 127.0.0.1.

A server is started by the first test that needs it and shared by all workers of one run. Between the tests and
the server stands a *guard*, a process of its own that starts the server, and ends it and removes its folder as
soon as the test run is over or dead. So nothing stays behind when a run is killed, and two runs do not meet.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

ADMIN = "admin"
PASSWORD = "Tr0ub4dor-and-3"
START_SECONDS = 90


class ServerMissingError(Exception):
    """The server's program is not installed. Names the package."""


class Server:
    """One running private server, seen from a test process."""

    name: ClassVar[str]
    package: ClassVar[str]
    driver: ClassVar[str]
    port: int

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log_file = folder / "server.log"
        self.databases: list[str] = []
        self.users: list[str] = []

    # How it is started: used by the guard.

    @classmethod
    def program(cls) -> Path | None:
        """The server's program, or ``None`` when it is not installed."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Lay down an empty data directory."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """What starts the server in the foreground."""
        raise NotImplementedError

    stop_signal: ClassVar[int] = signal.SIGKILL
    """The fastest end: the data is thrown away anyway."""

    # How it is used.

    @property
    def socket(self) -> Path:
        """The socket that local clients can use."""
        raise NotImplementedError

    def url(
        self,
        database: str = "",
        *,
        user: str = ADMIN,
        password: str = PASSWORD,
        driver: str | None = None,
        **query: str,
    ) -> str:
        """The address of a database as text, with its password."""
        return URL.create(
            driver or self.driver,
            username=user,
            password=password,
            host="127.0.0.1",
            port=self.port,
            database=database or None,
            query=query,
        ).render_as_string(hide_password=False)

    def run(self, *statements: str, database: str = "") -> list[Any]:
        """Run statements as the administrator, each committed at once; the rows of the last one."""
        return run(self.url(database or self.home), *statements)

    home: ClassVar[str]
    """The database that the administrator connects to when none is named."""

    def create_database(self, name: str | None = None) -> str:
        """A new empty database. The test that made it drops it (see conftest)."""
        name = name or f"t_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {self.quote(name)}")
        self.databases.append(name)
        return name

    def create_user(self, *, password: str = PASSWORD) -> str:
        """A new account that may do nothing yet. The test that made it drops it."""
        raise NotImplementedError

    def create_reader(self, database: str) -> str:
        """The address of this database for a new account that may only SELECT from its (present) tables."""
        raise NotImplementedError

    def drop(self, databases: Sequence[str], users: Sequence[str]) -> None:
        """Remove what a test made, also while somebody is still connected."""
        raise NotImplementedError

    def quote(self, name: str) -> str:
        raise NotImplementedError

    # What it was asked to do.

    def logged(self) -> Iterator[tuple[str, str, str]]:
        """Every statement so far: user, database and text."""
        raise NotImplementedError

    @contextmanager
    def statements(self, *, database: str | None = None, user: str | None = None) -> Iterator[list[str]]:
        """Collect what is sent to the server meanwhile, by this account or to this database.

        The list is filled when the block ends::

            with server.statements(database=name) as sent:
                project.doctor()
            assert writes(sent) == []
        """
        sent: list[str] = []
        before = sum(1 for _ in self.logged())
        yield sent
        for number, (by, where, text) in enumerate(self.logged()):
            if number >= before and user in (None, by) and database in (None, where):
                sent.append(text)


class MariaDB(Server):
    name = "mariadb"
    package = "mariadb-server"
    driver = "mysql+pymysql"
    home = ""

    @classmethod
    def program(cls) -> Path | None:
        found = _which("mariadbd")
        return found if found and _which("mariadb-install-db") and _which("mariadb-dump") else None

    @property
    def socket(self) -> Path:
        return self.folder / "s.sock"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def prepare(self) -> None:
        self.install()
        (self.folder / "init.sql").write_text(
            "DROP USER IF EXISTS ''@'localhost';\n"
            f"DROP USER IF EXISTS ''@'{socket.gethostname().lower()}';\n"
            f"CREATE USER IF NOT EXISTS '{ADMIN}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO '{ADMIN}'@'%' WITH GRANT OPTION;\n"
        )

    def install(self) -> None:
        _call(
            [
                str(_which("mariadb-install-db")),
                "--no-defaults",
                f"--datadir={self.data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *_as_root(),
            ]
        )

    def command(self) -> list[str]:
        return [
            str(self.program()),
            "--no-defaults",
            *_as_root(),
            f"--datadir={self.data}",
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            f"--init-file={self.folder / 'init.sql'}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--general-log=1",
            f"--general-log-file={self.folder / 'query.log'}",
            "--max-connections=300",
            "--character-set-server=utf8mb4",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--innodb-buffer-pool-size=64M",
            *self.further_options,
        ]

    further_options: ClassVar[tuple[str, ...]] = (
        "--innodb-log-file-size=16M",
        "--collation-server=utf8mb4_general_ci",
    )

    def quote(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def create_user(self, *, password: str = PASSWORD) -> str:
        name = f"u_{uuid.uuid4().hex[:10]}"
        literal = password.replace("\\", "\\\\").replace("'", "''").replace("%", "%%")
        self.run(f"CREATE USER '{name}'@'%%' IDENTIFIED BY '{literal}'")
        self.users.append(name)
        return name

    def create_reader(self, database: str) -> str:
        user = self.create_user()
        self.run(f"GRANT SELECT ON {self.quote(database)}.* TO '{user}'@'%%'")
        return self.url(database, user=user)

    def drop(self, databases: Sequence[str], users: Sequence[str]) -> None:
        for database in databases:
            busy = self.run(f"SELECT id FROM information_schema.processlist WHERE db = '{database}'")
            for (connection,) in busy:
                with suppress(Exception):  # gone in the meantime
                    self.run(f"KILL {connection}")
            self.run(f"DROP DATABASE IF EXISTS {self.quote(database)}")
        for user in users:
            self.run(f"DROP USER IF EXISTS '{user}'@'%%'")

    _ENTRY = re.compile(
        r"^(?:\d{6} [ \d]\d:\d\d:\d\d|\t|\d{4}-\d\d-\d\dT\S+)\t *(\d+) ([A-Z][A-Za-z ]+?)\t(.*)$"
    )
    _ACCOUNT = re.compile(r"^(\S*)@\S+(?:\s+as \S+)? on (\S*)")

    def logged(self) -> Iterator[tuple[str, str, str]]:
        connections: dict[str, tuple[str, str]] = {}
        entry: tuple[str, str, str] | None = None
        for line in _lines(self.folder / "query.log"):
            match = self._ENTRY.match(line)
            if match is None:
                if entry is not None:  # a statement of several lines goes on
                    entry = (*entry[:2], f"{entry[2]}\n{line}")
                continue
            if entry is not None:
                yield entry
                entry = None
            number, command, text = match.groups()
            if command == "Connect" and (account := self._ACCOUNT.match(text)):
                connections[number] = (account[1], account[2])
            elif command == "Init DB":
                connections[number] = (connections.get(number, ("", ""))[0], text)
            elif command in {"Query", "Execute"}:
                entry = (*connections.get(number, ("", "")), text)
        if entry is not None:
            yield entry


class MySQL(MariaDB):
    """MySQL's own server, where somebody has installed it: Debian has no package of it."""

    name = "mysql"
    package = "mysql-server"
    further_options = ("--mysqlx=0", "--log-timestamps=UTC")

    @classmethod
    def program(cls) -> Path | None:
        found = _which("mysqld")
        if found is None or _which("mysqldump") is None:
            return None
        version = subprocess.run(
            [found, "--no-defaults", "--version"], capture_output=True, text=True, check=False
        )
        return None if "mariadb" in version.stdout.lower() else found

    def install(self) -> None:
        _call(
            [
                str(self.program()),
                "--no-defaults",
                "--initialize-insecure",
                f"--datadir={self.data}",
                *_as_root(),
            ]
        )


class PostgreSQL(Server):
    name = "postgresql"
    package = "postgresql"
    driver = "postgresql+psycopg"
    home = "postgres"
    stop_signal = signal.SIGQUIT  # its children go with it

    @classmethod
    def program(cls) -> Path | None:
        programs = [*Path("/usr/lib/postgresql").glob("*/bin/postgres"), *filter(None, [_which("postgres")])]
        complete = [program for program in programs if program.with_name("initdb").exists()]
        return max(complete, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))], default=None)

    @property
    def socket(self) -> Path:
        return self.folder

    def prepare(self) -> None:
        program = self.program()
        assert program is not None
        (self.folder / "password").write_text(PASSWORD)
        account = _unprivileged()
        if account:
            for path in (self.folder, self.folder / "password"):
                os.chown(path, account["user"], account["group"])
        _call(
            [
                str(program.with_name("initdb")),
                f"--pgdata={self.folder / 'data'}",
                f"--username={ADMIN}",
                f"--pwfile={self.folder / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            **account,
        )

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 200,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "log_statement": "all",
            "log_line_prefix": "<%d|%u|%p> ",
            "lc_messages": "C",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(self.program()), "-D", str(self.folder / "data"), *options]

    def quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def create_user(self, *, password: str = PASSWORD) -> str:
        name = f"u_{uuid.uuid4().hex[:10]}"
        literal = password.replace("'", "''").replace("%", "%%")
        self.run(f"CREATE ROLE {name} LOGIN PASSWORD '{literal}'")
        self.users.append(name)
        return name

    def create_reader(self, database: str) -> str:
        user = self.create_user()
        self.run(
            f"GRANT CONNECT ON DATABASE {self.quote(database)} TO {user}",
            f"GRANT USAGE ON SCHEMA public TO {user}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}",
            database=database,
        )
        return self.url(database, user=user)

    def drop(self, databases: Sequence[str], users: Sequence[str]) -> None:
        for database in databases:
            self.run(f"DROP DATABASE IF EXISTS {self.quote(database)} WITH (FORCE)")
        for user in users:
            self.run(f"DROP ROLE IF EXISTS {user}")

    _ENTRY = re.compile(r"^<([^|>]*)\|([^|>]*)\|\d+> LOG:  (?:statement|execute [^:]*): (.*)$")

    def logged(self) -> Iterator[tuple[str, str, str]]:
        entry: tuple[str, str, str] | None = None
        for line in _lines(self.log_file):
            if entry is not None and line.startswith("\t"):  # a statement of several lines goes on
                entry = (*entry[:2], f"{entry[2]}\n{line[1:]}")
                continue
            if entry is not None:
                yield entry
                entry = None
            if match := self._ENTRY.match(line):
                entry = (match[2], match[1], match[3])
        if entry is not None:
            yield entry


SERVERS: dict[str, type[Server]] = {kind.name: kind for kind in (MariaDB, MySQL, PostgreSQL)}


def obtain(name: str, run_folder: Path) -> Server:
    """The run's server of this kind, started when this is the first who asks.

    :raises ServerMissingError: it is not installed.
    """
    kind = SERVERS[name]
    if kind.program() is None:
        raise ServerMissingError(
            f"{name} is not installed: install the package {kind.package} (apt-get install {kind.package}), "
            f"or leave its tests out with --without {name}"
        )
    server = kind(run_folder / name)
    with (run_folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not server.folder.exists():
            server.folder.mkdir(mode=0o711)
            with (run_folder / f"{name}.guard.log").open("w") as log:
                guard = subprocess.Popen(
                    [sys.executable, __file__, name, str(run_folder), os.environ[OWNER]],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            guard.returncode = 0  # it outlives this worker; waiting for it is not ours
        server.port = _wait_until_started(server)
    return server


OWNER = "ALEMBIC_EXT_TESTS_OWNER"
"""The variable that tells all workers which process the run belongs to."""


def new_run_folder() -> Path:
    """The folder of one test run. Its path is short, for sockets, and others may pass through, for PostgreSQL."""
    base = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="alembic-ext-", dir=base if len(base) < 40 else "/tmp"))
    folder.chmod(0o711)
    os.environ[OWNER] = str(os.getpid())
    return folder


def end_run(run_folder: Path) -> None:
    """Ask the guards of this run to end their servers, and remove its folder."""
    for state in run_folder.glob("*/state.json"):
        with suppress(ProcessLookupError):
            os.kill(json.loads(state.read_text())["guard"], signal.SIGTERM)
    deadline = time.monotonic() + 20
    while any(run_folder.glob("*/state.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(run_folder, ignore_errors=True)


def _wait_until_started(server: Server) -> int:
    state = server.folder / "state.json"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if state.exists():
            server.port = json.loads(state.read_text())["port"]
            with suppress(Exception):  # it listens before it lets anybody in
                server.run("SELECT 1")
                return server.port
        elif not server.folder.exists():
            break
        time.sleep(0.1)
    tail = "\n".join(
        [*_lines(server.folder.with_name(f"{server.name}.guard.log")), *_lines(server.log_file)][-30:]
    )
    raise RuntimeError(f"the private {server.name} did not start:\n{tail}")


def _guard(name: str, run_folder: Path, owner: int) -> None:
    """Run one server for as long as its owner lives. This is the whole life of the guard's process."""
    server = SERVERS[name](run_folder / name)
    asked_to_end: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked_to_end.append(number))
    server.prepare()
    process = None
    try:
        for _ in range(3):  # somebody else may take the port first
            server.port = _free_port()
            with server.log_file.open("ab") as log:
                process = subprocess.Popen(
                    server.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=server.folder,
                    **_account_for(server),
                )
            if _listens(process, server.port):
                break
        draft = server.folder / "state.draft"
        draft.write_text(
            json.dumps({"port": server.port, "guard": os.getpid(), "server": process.pid if process else 0})
        )
        draft.rename(server.folder / "state.json")
        while not asked_to_end and process and process.poll() is None and _alive(owner):
            time.sleep(0.2)
    finally:
        if process and process.poll() is None:
            process.send_signal(server.stop_signal)
            process.wait()
        shutil.rmtree(server.folder, ignore_errors=True)
        if not _alive(owner):  # nobody else will clean up
            for leftover in run_folder.glob(f"{name}.*"):
                leftover.unlink(missing_ok=True)
            with suppress(OSError):  # another guard is still at work
                run_folder.rmdir()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def _alive(pid: int) -> bool:
    with suppress(OSError):
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unprivileged() -> dict[str, Any]:
    """The account that PostgreSQL runs under when we are root, as arguments for ``subprocess``."""
    if os.geteuid() != 0:
        return {}
    import pwd

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no account 'nobody' to run it")


def _account_for(server: Server) -> dict[str, Any]:
    return _unprivileged() if isinstance(server, PostgreSQL) else {}


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _call(command: list[str], **account: Any) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/", **account
    )
    if done.returncode:
        raise RuntimeError(
            f"{Path(command[0]).name} failed ({done.returncode}):\n{done.stdout}\n{done.stderr}"
        )


def _which(program: str) -> Path | None:
    found = shutil.which(
        program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/usr/local/mysql/bin"
    )
    return Path(found) if found else None


def _lines(path: Path) -> Iterator[str]:
    with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace", newline="\n") as log:
        for line in log:
            yield line.rstrip("\n")


# What tests do with any database.


def run(url: str | URL, *statements: str) -> list[Any]:
    """Run statements, each committed at once; the rows of the last one. Double a ``%`` for MySQL and PostgreSQL."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    rows: list[Any] = []
    try:
        with engine.connect() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
                rows = [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()
    return rows


def dump(url: str | URL) -> str:
    """Everything in a database as text, schema and rows, for comparing before with after.

    Made by the database's own tools. A SQLite file is copied first, so that looking leaves no trace beside it.
    """
    address = make_url(url)
    return _DUMPS[address.get_backend_name()](address)


def _dump_sqlite(url: URL) -> str:
    path = Path(url.database or "")
    if not path.exists():
        return ""
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("", "-wal", "-journal"):
            with suppress(FileNotFoundError):
                shutil.copy2(f"{path}{ending}", f"{folder}/copy{ending}")
        connection = sqlite3.connect(f"{folder}/copy")
        try:
            marks = [
                f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};"
                for name in ("user_version", "application_id", "encoding", "journal_mode")
            ]
            return "\n".join([*marks, *connection.iterdump()])
        finally:
            connection.close()


def _dump_mysql(url: URL) -> str:
    program = _which("mariadb-dump") or _which("mysqldump")
    return _tool_output(
        [
            str(program),
            "--no-defaults",
            f"--host={url.host}",
            f"--port={url.port}",
            f"--user={url.username}",
            "--protocol=TCP",
            "--skip-comments",
            "--skip-dump-date",
            "--single-transaction",
            "--order-by-primary",
            "--routines",
            "--triggers",
            "--events",
            "--hex-blob",
            str(url.database),
        ],
        {"MYSQL_PWD": str(url.password)},
    )


def _dump_postgresql(url: URL) -> str:
    program = PostgreSQL.program()
    assert program is not None
    text = _tool_output(
        [
            str(program.with_name("pg_dump")),
            "--host",
            str(url.host),
            "--port",
            str(url.port),
            "--username",
            str(url.username),
            "--no-password",
            str(url.database),
        ],
        {"PGPASSWORD": str(url.password)},
    )
    # A dump begins and ends with a token that is new each time.
    return "\n".join(
        line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    )


_DUMPS = {
    "sqlite": _dump_sqlite,
    "mysql": _dump_mysql,
    "mariadb": _dump_mysql,
    "postgresql": _dump_postgresql,
}


def _tool_output(command: list[str], variables: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, **variables},
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed ({done.returncode}): {done.stderr}")
    return done.stdout


_READING = re.compile(
    r"\s*(?:/\*.*?\*/\s*)*"
    r"(?:SELECT|SHOW|SET|BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|EXPLAIN|DESC|DESCRIBE|USE|WITH"
    r"|VALUES|FETCH|CLOSE|DECLARE|DEALLOCATE|RESET|DISCARD)\b",
    re.IGNORECASE | re.DOTALL,
)
_WRITING = re.compile(
    r"\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b|\bFOR\s+(?:KEY\s+)?SHARE\b|\bLOCK\s+IN\s+SHARE\b|\bINTO\s+(?:OUT|DUMP)FILE\b"
    r"|\b(?:nextval|setval|get_lock|pg_(?:try_)?advisory\w*lock\w*)\s*\(|^\s*SET\s+(?:GLOBAL|PERSIST)\b"
    r"|^\s*SET\s+PASSWORD\b|^\s*WITH\b.*\b(?:INSERT|UPDATE|DELETE|MERGE)\b|^\s*SELECT\b[^']*\bINTO\b",
    re.IGNORECASE | re.DOTALL,
)


def writes(statements: Sequence[str]) -> list[str]:
    """Those that change something, hold a lock, or that we cannot tell to be mere reading."""
    return [text for text in statements if not _READING.match(text) or _WRITING.search(text)]


if __name__ == "__main__":
    _guard(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
