"""What became of running env.py: the databases it reached, or why it reached none."""

from __future__ import annotations

import configparser
import os
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from alembic_ext.connections import LookRefused, RefusedWrite
from alembic_ext.errors import AlembicExtError
from alembic_ext.facts.driver_errors import chain, first_line, is_damaged, number, sqlstate
from alembic_ext.facts.target import holds_rest_of_password
from alembic_ext.redaction import redact
from alembic_ext.settings.ini_file import load_parser, option
from alembic_ext.settings.model import UnusableSettingError
from alembic_ext.settings.python_path import folder_holding
from alembic_ext.workspace import EnvError, Workspace


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a database was not reached, under the code of the check that reports it.

    :param code: ``AX106`` to ``AX111``, ``AX113`` or ``AX118``.
    :param summary: one sentence, without secrets.
    :param command: what to paste, where one command is the answer to ``hint``.
    :param over_url: env.py stumbled over the URL of the settings, or its absence: an echo where they have no usable one.
    :param url: the URL that env.py used, where it could be read at all.
    :param database: the name of the one database of several.
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
    url: URL | None = field(default=None, repr=False)
    database: str | None = None


@dataclass(frozen=True, kw_only=True)
class EnvScript:
    """The outcome of one look.

    :param failures: env.py's own, and that of the look by settings that followed it.
    :param refused: writes of env.py's that were not sent.
    :param unreached: the code of why no database was reached at all.
    """

    path: Path
    failures: tuple[Failure, ...] = ()
    refused: tuple[RefusedWrite, ...] = ()
    unreached: str | None = None

    def failed_with(self, code: str) -> Iterator[Failure]:
        return (failure for failure in self.failures if failure.code == code)

    def stopped_before(self, code: str) -> str | None:
        """The code of what kept the look from getting as far as the check of this code."""
        before = _CONNECTING[: _CONNECTING.index(code)] if code in _CONNECTING else _CONNECTING
        stops = [one.code for one in self.failures if one.code in before]
        if self.unreached not in (None, code, *_CONNECTING):
            stops.append(str(self.unreached))
        return next(iter(stops), None)


_CONNECTING = ("AX107", "AX106", "AX118", "AX108", "AX109", "AX110")
"""What can stop a connection, in order."""


def explain(
    error: EnvError, workspace: Workspace, url: URL | None = None, *, ini_is_named: bool = False
) -> Failure:
    """Which state an exception of env.py's, or of a connection, stands for.

    :param url: the URL that was connected to, when it is known, for the sentence.
    :param ini_is_named: AX113 has named what is wrong with the ini file: env.py's error over it is an echo.
    """
    tried = url_tried(error.error)
    known = parsed(tried)
    failure = _explain(error, workspace, known or url, ini_is_named=ini_is_named)
    echo = failure.over_url and (tried is None or _is_of_settings(tried, workspace))
    return replace(failure, url=known, over_url=echo)


def _explain(error: EnvError, workspace: Workspace, url: URL | None, *, ini_is_named: bool) -> Failure:
    raised = error.error
    if isinstance(raised, LookRefused):
        return refused(raised, workspace, url)
    if url is not None and holds_rest_of_password(url):
        return _unescaped_password(raised)
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


def url_tried(raised: BaseException) -> URL | str | None:
    """The URL that SQLAlchemy was at work with when it failed: its innermost frame that has one knows it."""
    found: URL | str | None = None
    for one in chain(raised):
        for frame, _line in traceback.walk_tb(one.__traceback__):
            if str(frame.f_globals.get("__name__")).startswith("sqlalchemy."):
                known = frame.f_locals
                engine = known.get("self")
                tried = (
                    engine.url if isinstance(engine, Engine) else known.get("name_or_url", known.get("url"))
                )
                found = tried if isinstance(tried, URL | str) else found
        if found is not None:
            break
    return found


def parsed(tried: URL | str | None) -> URL | None:
    try:
        return None if tried is None else make_url(tried)
    except (ArgumentError, ValueError):
        return None


def _is_of_settings(tried: URL | str, workspace: Workspace) -> bool:
    """env.py used the URL of the ini, or of the code that called: what the settings say of it is the cause."""
    settings = workspace.settings
    if any(problem.named for problem in settings.problems) or settings.ini is None:
        return True
    try:
        named = option(load_parser(settings.ini), settings.section, "sqlalchemy.url") or ""
    except (AlembicExtError, configparser.Error):
        return True
    if isinstance(tried, URL):
        return tried == parsed(named)
    return tried.strip() == named.strip()


def _unescaped_password(raised: BaseException) -> Failure:
    """Nothing of the URL is shown: what looks like the host is the rest of the password."""
    return Failure(
        code="AX108",
        summary="The database cannot be reached: the password in the URL holds an unescaped @ or /, "
        "so its rest was taken for the host.",
        subject="the database",
        hint="Write %40 for @ and %2F for / in the password (in an ini file %%40 and %%2F).",
        evidence={"exception": type(raised).__name__, "number": None, "sqlstate": None, "said": None},
    )


def refused(refused: LookRefused, workspace: Workspace, url: URL | None = None) -> Failure:
    """Why a SQLite file was not opened."""
    if refused.code == "AX118":
        return Failure(
            code="AX118",
            summary=f"A rollback journal lies beside {refused.path.name}: a writer died in the middle of a transaction.",
            subject=str(refused.path),
            hint="Open the file for writing once (sqlite3 FILE '.tables') to let SQLite roll that work back, then look again.",
            path=refused.path,
            evidence={"journal": f"{refused.path}-journal"},
        )
    written = (url.database if url is not None else None) or refused.given  # SQLAlchemy makes it absolute
    given = Path(written.removeprefix("file:").partition("?")[0])
    relative = not given.is_absolute()
    against = f" ({written!r} was resolved against {Path.cwd()})" if relative else ""
    folder = refused.path.parent
    result, hint, command = "; connecting would create an empty one", "if this is a new database", True
    if relative and (workspace.settings.root / given).is_file():
        result = f", but there is one in the project folder, {workspace.settings.root / given}"
        hint = "Run from the project folder, or name an absolute path: sqlite:///%(here)s/FILE in the ini."
        command = False
    elif not folder.is_dir():
        result, command = f", and neither does its folder {folder}", _is_of_helper(refused)
        hint = "if this is a new database" if command else "Correct the path, or create the folder."
    return Failure(
        code="AX106",
        summary=f"The SQLite file {refused.path} does not exist{against}{result}.",
        subject=str(refused.path),
        hint=hint,
        command="alembic upgrade head" if command else None,
        path=refused.path,
        evidence={"given": written, "resolved_against": str(Path.cwd()) if relative else None},
    )


def _is_of_helper(raised: BaseException) -> bool:
    """Our own env.py helper connected: it makes the folder of a new database."""
    frames = (frame for frame, _line in traceback.walk_tb(raised.__traceback__))
    return any(frame.f_globals.get("__name__") == "alembic_ext.env" for frame in frames)


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
        "AX108": _unreachable(server, said, url),
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


def _unreachable(server: str, said: str, url: URL | None) -> tuple[str, str]:
    """The sentence and the hint. SQLite says the same of any file it cannot open: the path tells more."""
    if url is None or url.get_backend_name() != "sqlite":
        return (
            f"{server} cannot be reached: {said}",
            "Is this the right host and port, and is the server running?",
        )
    path = Path((url.database or "").removeprefix("file:").partition("?")[0])
    if path.is_dir():
        return f"{server} cannot be opened: it is a folder.", "Name the file inside it."
    if path.exists() and not os.access(path, os.R_OK):
        return (
            f"{server} cannot be opened: you have no permission to read it.",
            "Check the file's permissions.",
        )
    if is_damaged(said):
        return (
            f"{server} cannot be read: {said}",
            "Is this the right file? If so it is damaged: restore a backup.",
        )
    return f"{server} cannot be reached: {said}", "Is this the right file, and does another program hold it?"


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
    about_url = isinstance(raised, ArgumentError) or (
        isinstance(raised, ValueError) and isinstance(url_tried(raised), str)
    )
    name = error.path.name if error.path else "env.py"
    where = f"{name}, line {error.line}" if error.line else name
    hint, command = f"see the whole traceback of {name}", "alembic current"
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
        said = redact(str(raised)) if isinstance(raised.args[0] if raised.args else None, str) else ""
        summary = f"env.py ends the process ({where}){': ' * bool(said)}{said}."
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
        if about_url:
            said = "the URL that env.py built cannot be parsed"
            hint = _what_is_wrong_with(url_tried(raised))
        if "application context" in said and isinstance(raised, RuntimeError):
            hint = (
                "env.py needs the Flask application: in Python, inside its app_context(), call "
                "alembic_ext.doctor(migrate.get_config()), where migrate is the Migrate object."
            )
        if isinstance(raised, ValueError) and said.startswith("invalid interpolation syntax"):
            said = "a value for the ini holds a single %"  # the parser's own words hold that value
            hint = "Write %% for it: config.set_main_option(name, value.replace('%', '%%'))."
        if isinstance(raised, configparser.Error):
            said = "a value of the ini file cannot be used"  # the parser's own words hold that value
        summary = f"env.py raises {type(raised).__name__} ({where}): {said}"
    return Failure(
        code="AX111",
        summary=summary,
        subject=str(workspace.env_script),
        hint=hint,
        command=command if hint.startswith("see the whole") else None,
        path=error.path or workspace.env_script,
        line=error.line,
        evidence=evidence,
        over_url=about_url or (isinstance(raised, KeyError) and raised.args == ("url",)),
    )


def _what_is_wrong_with(tried: URL | str | None) -> str:
    """What to do about a URL that cannot be parsed, without showing it."""
    text = "" if tried is None else str(tried).strip()
    if not text:
        return "It is empty: is the variable set that env.py reads?"
    if text[0] in "\"'":
        return "It stands in quotes: remove them."
    return "Write dialect://user:password@host:port/database."
