"""What became of running env.py: the databases it reached, or why it reached none."""

from __future__ import annotations

import configparser
import os
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from alembic_ext.connections import LookRefused, RefusedWrite
from alembic_ext.errors import AlembicExtError
from alembic_ext.facts.driver_errors import chain, first_line, number, sqlstate
from alembic_ext.redaction import redact
from alembic_ext.settings.model import UnusableSettingError
from alembic_ext.settings.python_path import folder_holding
from alembic_ext.workspace import EnvError, Workspace


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a database was not reached, under the code of the check that reports it.

    :param code: ``AX106`` to ``AX111``, ``AX113`` or ``AX118``.
    :param summary: one sentence, without secrets.
    :param command: what to paste, where one command is the answer to ``hint``.
    :param over_url: env.py stumbled over the URL, or its absence: an echo where the settings have no usable one.
    """

    code: str
    summary: str
    subject: str
    hint: str
    command: str | None = None
    path: Path | None = None
    line: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    over_url: bool = False


@dataclass(frozen=True, kw_only=True)
class EnvScript:
    """The outcome of one look.

    :param failures: env.py's own, and that of the look by settings that followed it.
    :param refused: writes of env.py's that were not sent.
    """

    path: Path
    failures: tuple[Failure, ...] = ()
    refused: tuple[RefusedWrite, ...] = ()

    def failed_with(self, code: str) -> Iterator[Failure]:
        return (failure for failure in self.failures if failure.code == code)


def explain(
    error: EnvError, workspace: Workspace, url: URL | None = None, *, ini_is_named: bool = False
) -> Failure:
    """Which state an exception of env.py's, or of a connection, stands for.

    :param url: the URL that was connected to, when it is known, for the sentence.
    :param ini_is_named: AX113 has named what is wrong with the ini file: env.py's error over it is an echo.
    """
    raised = error.error
    if isinstance(raised, LookRefused):
        return _refused(raised)
    if failure := connection_failure(raised, url):
        return failure
    if isinstance(raised, AlembicExtError) and raised.code:
        return Failure(
            code=raised.code,
            summary=raised.message,
            subject="env.py",
            hint=raised.hint or "",
            evidence={"exception": type(raised).__name__, "missing_module": None, "found_in": None}
            if raised.code == "AX111"
            else {"dialect": None, "package": None},
            over_url=isinstance(raised, UnusableSettingError),
        )
    if failure := _driver_failure(raised):
        return failure
    if ini_is_named and _is_ini_error(raised):
        return Failure(
            code="AX113",
            summary=f"env.py could not use the ini file: {type(raised).__name__}.",
            subject=str(workspace.settings.ini_named or "alembic.ini"),
            hint="See AX113 for the line.",
            path=workspace.settings.ini,
            evidence={"exception": type(raised).__name__},
        )
    return _script_failure(error, workspace)


def _refused(refused: LookRefused) -> Failure:
    if refused.code == "AX118":
        return Failure(
            code="AX118",
            summary=f"A rollback journal lies beside {refused.path.name}: a writer died in the middle of a transaction.",
            subject=str(refused.path),
            hint="Open the file for writing once (sqlite3 FILE '.tables') to let SQLite roll that work back, then look again.",
            path=refused.path,
            evidence={"journal": f"{refused.path}-journal"},
        )
    relative = not Path(refused.given.removeprefix("file:")).is_absolute()
    against = f" ({refused.given!r} was resolved against {Path.cwd()})" if relative else ""
    return Failure(
        code="AX106",
        summary=f"The SQLite file {refused.path} does not exist{against}; connecting would create an empty one.",
        subject=str(refused.path),
        hint="if this is a new database",
        command="alembic upgrade head",
        path=refused.path,
        evidence={"given": refused.given, "resolved_against": str(Path.cwd()) if relative else None},
    )


_MISSING_MYSQL = 1049
_REFUSED_MYSQL = {1045, 1698, 1044, 1251, 1130, 1129, 3118, 2059, 2061}
_UNREACHABLE_MYSQL = {2002, 2003, 2005, 2006, 2013, 2055, 1040, 1053, 1203, 2026}
_SAYS_MISSING = ("database", "does not exist"), ("数据库", "不存在")
_SAYS_REFUSED = (
    "password authentication failed",
    "no pg_hba.conf entry",
    "authentication failed",
    "no password supplied",
    "用户 password 认证失败",
    "认证失败",
)
_SAYS_UNREACHABLE = (
    "connection refused",
    "could not translate host name",
    "failed to resolve host",
    "name or service not known",
    "nodename nor servname",
    "temporary failure in name resolution",
    "timeout expired",
    "timed out",
    "connection timeout",
    "could not connect",
    "connection failed",
    "server closed the connection",
    "no route to host",
    "network is unreachable",
    "starting up",
    "too many connections",
    "too many clients",
    "unable to open database file",
    "file is not a database",
    "file is encrypted",
    "database disk image is malformed",
    "database is locked",
    "disk i/o error",
)


def connection_failure(raised: BaseException, url: URL | None) -> Failure | None:
    """What an exception says about connecting, or ``None`` when it says something else."""
    failures = (_connection_failure(one, url) for one in chain(raised))
    return next((failure for failure in failures if failure is not None), None)


def _connection_failure(error: BaseException, url: URL | None) -> Failure | None:
    code = _connection_code(error)
    if code is None:
        return None
    server = url.render_as_string(hide_password=True) if url is not None else "the database"
    said = first_line(error) if str(error).strip() else "no answer in time"
    summary, hint = {
        "AX108": (
            f"{server} cannot be reached: {said}",
            "Is this the right file, and does another program hold it?"
            if url is not None and url.get_backend_name() == "sqlite"
            else "Is this the right host and port, and is the server running?",
        ),
        "AX109": (
            f"{server} refused the account: {said}",
            "Check user and password.",
        ),
        "AX110": (
            f"The server answers, but the database is not there: {said}",
            "Create it, or correct its name.",
        ),
    }[code]
    return Failure(
        code=code,
        summary=summary,
        subject=server,
        hint=hint,
        evidence={
            "exception": type(error).__name__,
            "number": number(error),
            "sqlstate": sqlstate(error),
            "said": said,
        },
    )


def _connection_code(error: BaseException) -> str | None:
    mysql, state = number(error), sqlstate(error) or ""
    said = str(error).lower()
    if mysql == _MISSING_MYSQL or state == "3D000":
        return "AX110"
    if mysql in _REFUSED_MYSQL or state.startswith("28"):
        return "AX109"
    if mysql in _UNREACHABLE_MYSQL or state.startswith(("08", "57P")) or state == "53300":
        return "AX108"
    if isinstance(error, (ConnectionError, TimeoutError)) or type(error).__name__ == "gaierror":
        return "AX108"
    if not isinstance(error, DBAPIError) and type(error).__module__.partition(".")[0] not in _DRIVERS:
        return None
    if any(all(word in said for word in words) for words in _SAYS_MISSING):
        return "AX110"
    if any(words in said for words in _SAYS_REFUSED):
        return "AX109"
    return "AX108" if any(words in said for words in _SAYS_UNREACHABLE) else None


_DRIVERS = {
    "sqlite3",
    "psycopg",
    "psycopg2",
    "asyncpg",
    "pymysql",
    "MySQLdb",
    "aiosqlite",
    "aiomysql",
    "asyncmy",
    "pg8000",
}

_PACKAGES = {
    "MySQLdb": "mysqlclient",
    "pymysql": "pymysql",
    "psycopg2": "psycopg2-binary",
    "psycopg": "'psycopg[binary]'",
    "aiomysql": "aiomysql",
    "asyncmy": "asyncmy",
    "asyncpg": "asyncpg",
    "aiosqlite": "aiosqlite",
    "greenlet": "greenlet",
    "pg8000": "pg8000",
    "oracledb": "oracledb",
    "pyodbc": "pyodbc",
}

_INSTEAD = {"MySQLdb": "mysql+pymysql://", "psycopg2": "postgresql+psycopg://"}


def _driver_failure(raised: BaseException) -> Failure | None:
    for one in chain(raised):
        if isinstance(one, NoSuchModuleError):
            dialect = str(one).rpartition(":")[2].strip()
            hint = (
                "Write postgresql://."
                if dialect == "postgres"
                else "Name a real dialect, for example mysql+pymysql://."
            )
            return Failure(
                code="AX107",
                summary=f"No SQLAlchemy dialect is called {dialect!r}.",
                subject=dialect,
                hint=hint,
                evidence={"dialect": dialect, "package": None},
                over_url=dialect == "driver",  # the placeholder of Alembic's templates
            )
        if isinstance(one, ModuleNotFoundError) and one.name and _raised_by_dialect(one):
            package = _PACKAGES.get(one.name, one.name)
            return Failure(
                code="AX107",
                summary=f"The database driver {one.name} is not installed.",
                subject=one.name,
                hint="install it"
                + (f", or write {_INSTEAD[one.name]} in the URL" if one.name in _INSTEAD else ""),
                command=f"pip install {package}",
                evidence={"dialect": None, "package": package},
            )
    return None


def _raised_by_dialect(error: BaseException) -> bool:
    """The module was looked for by a dialect (its ``import_dbapi``), not by the project."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(
        f"{os.sep}dialects{os.sep}" in frame.filename or frame.name == "import_dbapi" for frame in frames
    )


def _is_ini_error(raised: BaseException) -> bool:
    if isinstance(raised, configparser.Error):
        return True
    frames = [Path(frame.filename).name for frame in traceback.extract_tb(raised.__traceback__)]
    from_logging = "config.py" in frames and any(
        "logging" in frame.filename for frame in traceback.extract_tb(raised.__traceback__)
    )
    return from_logging and isinstance(raised, (KeyError, FileNotFoundError, RuntimeError))


def _script_failure(error: EnvError, workspace: Workspace) -> Failure:
    raised = error.error
    name = error.path.name if error.path else "env.py"
    where = f"{name}, line {error.line}" if error.line else name
    hint = f"Run the project's own code: alembic current shows the whole traceback of {name}."
    evidence: dict[str, Any] = {"exception": type(raised).__name__, "missing_module": None, "found_in": None}
    if not workspace.env_script.is_file():
        summary, hint = (
            f"There is no env.py in {workspace.script_location}.",
            "alembic init writes one; git may still have yours.",
        )
    elif error.kind == "never-runs":
        summary = (
            f"{name} came to its end without calling context.run_migrations(): no migration would ever run."
        )
        hint = "Call context.run_migrations() in env.py, or use alembic_ext.env.run_migrations()."
    elif error.kind == "exits":
        summary = f"env.py ends the process ({where}): {redact(str(raised)) or 'no message'}."
    elif isinstance(raised, ModuleNotFoundError) and raised.name:
        found = folder_holding(raised.name, workspace.settings.root)
        summary = f"env.py cannot import {raised.name!r} ({where})."
        hint = (
            f"It lies in {found}: add that folder to prepend_sys_path in alembic.ini."
            if found
            else f"Nothing called {raised.name.partition('.')[0]} lies in the project: is it installed in this environment?"
        )
        evidence |= {"missing_module": raised.name, "found_in": str(found) if found else None}
    else:
        said = "it cannot be parsed" if isinstance(raised, SyntaxError) else first_line(raised)
        if isinstance(raised, ArgumentError):
            said = "the URL cannot be parsed"
        if isinstance(raised, configparser.Error):
            said = "a value of the ini file cannot be used"  # the parser's own words hold that value
        summary = f"env.py raises {type(raised).__name__} ({where}): {said}"
    return Failure(
        code="AX111",
        summary=summary,
        subject=str(workspace.env_script),
        hint=hint,
        path=error.path or workspace.env_script,
        line=error.line,
        evidence=evidence,
        over_url=isinstance(raised, ArgumentError)
        or (isinstance(raised, KeyError) and raised.args == ("url",)),
    )
