"""The opened project: its settings, its script directory, and one look at what its env.py does.

``look`` runs env.py once, in this process, on a context *instance* whose ``configure``, ``begin_transaction``
and ``run_migrations`` are replaced (a subclass would not do: ``alembic.context`` is a proxy keyed by the exact
class). env.py connects as it always does, hands over its connection and options, and is left there by a
private ``BaseException``, so that nothing after it runs.
"""

from __future__ import annotations

import ast
import asyncio
import copy
import logging
import sys
import threading
import traceback
import warnings
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from inspect import Parameter, signature
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from alembic_ext.connections import (
    Guard,
    LookRefused,
    Reader,
    RefusedWrite,
    guarded,
    in_memory,
    looking,
    separate_engine,
)
from alembic_ext.errors import AlembicExtError
from alembic_ext.settings import Settings, resolve_settings
from alembic_ext.settings.engine_options import with_utf8_password
from alembic_ext.settings.ini_file import load_parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sqlalchemy.engine import URL, Connection, Engine

    from alembic_ext.settings import SettingsProblem

T = TypeVar("T")

SETTINGS_ATTRIBUTE = "alembic_ext.settings"
"""Key of ``Config.attributes`` under which our env.py helper finds the settings already resolved."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """An opened project.

    :param config: a Config of our own: paths absolute, ini read as UTF-8. The caller's is never changed.
    :param callers_config: the Config that the caller gave, as it was.
    :param notes: sentences about what was assumed.
    :param script_location: the migration environment's folder, whether it exists or not.
    :param locations: the version locations, absolute, in order.
    """

    settings: Settings
    config: Config
    script_location: Path
    locations: tuple[Path, ...]
    recursive: bool = False
    sourceless: bool = False
    callers_config: Config | None = None
    notes: tuple[str, ...] = ()

    @property
    def env_script(self) -> Path:
        return self.script_location / "env.py"


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What env.py handed to Alembic for one database.

    :param name: ``engine_name`` given to ``run_migrations``, else ``default``, ``2``, ``3`` in order.
    :param url: the URL of the engine, as env.py made it.
    :param options: the keyword arguments of ``context.configure``.
    :param unknown_options: those that Alembic does not know, and silently ignores.
    :param autobegun: path and line of the statement that began a transaction on env.py's own connection.
    :param callers_connection: the connection was made before we looked, so it is not ours to use.
    """

    name: str
    reader: Reader
    url: URL
    options: Mapping[str, Any]
    unknown_options: tuple[str, ...] = ()
    autobegun: tuple[str | None, int | None] | None = None
    callers_connection: bool = False
    assumed: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EnvError:
    """env.py did not get to ``run_migrations``.

    :param refused: it failed because something did not happen that we do not let happen: not its fault.
    """

    error: BaseException
    kind: str
    path: Path | None = None
    line: int | None = None
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Look(Generic[T]):
    """What came of the look: a value for each database seen, and what went wrong."""

    seen: tuple[T, ...] = ()
    error: EnvError | None = None
    refused: tuple[RefusedWrite, ...] = ()


def open_workspace(
    config: Config | None = None, *, config_file: str | None = None, root: Path | None = None
) -> Workspace:
    """Open the project that ``config`` names, or the one around the working directory.

    :param config: an Alembic Config; without it the project root is found as DESIGN's doors find it.
    :param config_file: the YAML file to use, as ``-x config_file=``.
    :param root: the folder whose alembic.ini is used when nothing else names one.
    :raises AlembicExtError: there is no Alembic project here.
    """
    settings = resolve_settings(config, config_file=config_file, root=root)
    own = _own_config(config, settings)
    with python_path(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        location, notes = own.get_alembic_option("script_location"), []
        if not location and settings.ini is not None and (settings.root / "env.py").is_file():
            location = str(settings.root)
            notes = [
                f"{settings.ini.name} has no script_location: its own folder was taken, because env.py is there."
            ]
        if not location:
            raise _no_project(settings)
        script_location = _folder(location, settings.root, config)
        named = own.get_version_locations_list()
        locations = (
            [_folder(one, settings.root, config) for one in named if one]
            if named
            else [script_location / "versions"]
        )
        own.set_main_option("script_location", _escaped(script_location))
        if named:
            own.set_main_option("path_separator", "newline")
            own.set_main_option("version_locations", "\n".join(map(_escaped, locations)))
        own.remove_main_option("prepend_sys_path")
        own.toml_args["here"] = str(settings.root)
        return Workspace(
            settings=settings,
            config=own,
            script_location=script_location,
            locations=tuple(locations),
            recursive=own.get_alembic_boolean_option("recursive_version_locations"),
            sourceless=own.get_alembic_boolean_option("sourceless"),
            callers_config=config,
            notes=tuple(notes),
        )


def _own_config(config: Config | None, settings: Settings) -> Config:
    options = copy.copy(config.cmd_opts) if config is not None else None
    if options is None and settings.x:
        options = Namespace(x=list(settings.x))
    own = Config(
        file_=settings.ini_named,
        toml_file=None if _toml_problem(settings) else settings.toml,
        ini_section=settings.section,
        cmd_opts=options,
        attributes={**(config.attributes if config is not None else {}), SETTINGS_ATTRIBUTE: settings},
    )
    if config is not None and "file_config" in vars(config):
        own.file_config = copy.deepcopy(config.file_config)
    elif settings.ini is not None:
        own.file_config = load_parser(settings.ini)
    if not own.file_config.has_section(settings.section):
        own.file_config.add_section(settings.section)
    return own


def _toml_problem(settings: Settings) -> SettingsProblem | None:
    """What is wrong with pyproject.toml as a whole: Alembic itself would fail over it."""
    return next(
        (
            one
            for one in settings.problems
            if one.path and one.path == settings.toml and one.evidence.get("reason") != "setting"
        ),
        None,
    )


def _no_project(settings: Settings) -> AlembicExtError:
    if problem := _toml_problem(settings):
        return problem.error()
    looked = settings.ini_named or settings.root / "alembic.ini"
    if settings.ini is not None and not load_parser(settings.ini).has_section(settings.section):
        return AlembicExtError(
            f"There is no Alembic project here: {looked} has no section [{settings.section}].",
            hint="Name a section that it has: alembic -n SECTION doctor",
        )
    above = next((one for one in settings.root.parents if (one / "alembic.ini").is_file()), None)
    path = Path(relpath(above, settings.root)) / "alembic.ini" if above and not settings.ini else None
    return AlembicExtError(
        f"There is no Alembic project here: {looked} "
        + ("has no script_location." if settings.ini else "does not exist."),
        hint=f"Name the project's alembic.ini: alembic -c {path or 'PATH/alembic.ini'} doctor",
    )


def _folder(given: str, root: Path, config: Config | None) -> Path:
    """A script or version location: absolute, relative to the project root, or ``package:folder``.

    One that the caller's code set in its Config may be relative to the working directory, as Alembic has it.
    """
    path = Path(given)
    if not path.is_absolute() and ":" in given:
        return _in_package(given)
    set_in_code = config is not None and config.cmd_opts is None and "file_config" in vars(config)
    if set_in_code and not (root / path).exists() and (Path.cwd() / path).exists():
        return Path(_normal(Path.cwd() / path))
    return Path(_normal(root / path))


def _in_package(given: str) -> Path:
    """``package:folder``, found without importing the package: its code is not guarded.

    :raises AlembicExtError: there is no such package.
    """
    package, *inside = given.split(":")
    top, *inner = package.split(".")
    try:
        found = find_spec(top)
    except (ImportError, ValueError):
        found = None
    folders = [Path(one, *inner, *inside) for one in (found and found.submodule_search_locations) or ()]
    if not folders:
        raise AlembicExtError(
            f"The package {package!r} of the location {given!r} cannot be found.",
            hint="Add the folder that holds it to prepend_sys_path in alembic.ini.",
        )
    return next((one for one in folders if one.is_dir()), folders[0]).absolute()


def _normal(path: Path) -> str:
    from os.path import normpath  # noqa: PLC0415 - resolve() would follow symlinks, which names other files

    return normpath(path)


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


@contextmanager
def python_path(settings: Settings) -> Iterator[None]:
    """The project's Python path, first on ``sys.path``, which is put back afterwards."""
    before = list(sys.path)
    ours = [str(folder) for folder in settings.python_path]
    sys.path[:] = [*ours, *(entry for entry in before if entry not in ours)]
    try:
        yield
    finally:
        sys.path[:] = before


# --- the look -------------------------------------------------------------------------------------------------


class _Leave(BaseException):
    """Leaves env.py: nothing after ``run_migrations`` may run."""


_IN_THREAD = "env.py runs its migrations in a thread of its own, which the guard does not cover."
_CALLERS = (
    "env.py was given a connection: another one of the same engine was read,"
    " so uncommitted work of the caller's is not seen."
)

_one_at_a_time = threading.RLock()
"""``alembic.context`` is one proxy for the whole process."""


def look(workspace: Workspace, visit: Callable[[Sighting], T]) -> Look[T]:
    """Run env.py and call ``visit`` for every database that it would migrate, while its connection is open.

    ``visit`` must not raise. Inside a running event loop env.py runs in a thread, in the same context.
    """
    return _outside_event_loop(lambda: _look(workspace, visit))


def _outside_event_loop(function: Callable[[], T]) -> T:
    """Call it where it may run an event loop of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="alembic_ext") as executor:
        return executor.submit(copy_context().run, function).result()


def _look(workspace: Workspace, visit: Callable[[Sighting], T]) -> Look[T]:
    with (
        _one_at_a_time,
        _bystanders_untouched(),
        python_path(workspace.settings),
        guarded(workspace.settings.own.connect_timeout) as guard,
    ):
        view = _View(guard, visit, returns=not migrates_once(workspace.env_script))
        error: EnvError | None = None
        try:
            script = ScriptDirectory.from_config(workspace.config)
            with EnvironmentContext(
                workspace.config, script, fn=_no_steps, as_sql=False, dont_mutate=True
            ) as context:
                view.replace(context)
                script.run_env()
        except _Leave:
            pass
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever the project's code raises is a fact
            if not view.left:  # else it is only the way out that fails: the look ended env.py's transaction
                error = _env_error(raised, workspace)
                if view.is_to_blame_for(raised):
                    error = replace(error, refused=True)
                    error = error if view.seen else view.after_refusal(error)
        else:
            if not view.seen:
                error = EnvError(error=_NeverRunError(), kind="never-runs", path=workspace.env_script)
                view.visit_configured()
        return Look(seen=tuple(view.seen), error=error, refused=tuple(guard.refused))


class _NeverRunError(Exception):
    """env.py came to its end without ``context.run_migrations()``."""


def look_by_settings(workspace: Workspace, visit: Callable[[Sighting], T]) -> Look[T]:
    """Look at the database that the settings name, without env.py: its options are assumed, and said to be."""
    return _outside_event_loop(lambda: _look_by_settings(workspace, visit))


def _look_by_settings(workspace: Workspace, visit: Callable[[Sighting], T]) -> Look[T]:
    database = workspace.settings.require_database()

    def see(connection: Connection) -> T:
        reader = Reader(connection)
        return visit(Sighting(name="default", reader=reader, url=database.url, options={}, assumed=True))

    with guarded(workspace.settings.own.connect_timeout):
        try:
            engine = create_engine(database.url, **with_utf8_password(database.url, database.engine_options))
            if engine.dialect.is_async:
                return Look(seen=(asyncio.run(_run_sync(engine, see)),))
            with engine.connect() as connection:
                return Look(seen=(see(connection),))
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever the project's code raises is a fact
            return Look(error=EnvError(error=raised, kind="raised"))


async def _run_sync(engine: Engine, see: Callable[[Connection], T]) -> T:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: PLC0415

    asynchronous = AsyncEngine(engine)
    try:
        async with asynchronous.connect() as connection:
            return await connection.run_sync(see)
    finally:
        await asynchronous.dispose()


def _no_steps(*_: object, **__: object) -> list[Any]:
    return []


@dataclass
class _View(Generic[T]):
    """Stands in for ``configure``, ``begin_transaction`` and ``run_migrations`` of one context."""

    guard: Guard
    visit: Callable[[Sighting], T]
    returns: bool
    seen: list[T] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    connection: Connection | None = None
    autobegun: tuple[str | None, int | None] | None = None
    left: bool = False

    def replace(self, context: EnvironmentContext) -> None:
        original = context.configure

        def configure(*arguments: Any, **options: Any) -> None:
            names = [name for name in signature(original).parameters if name != "kw"]
            self.options = {**dict(zip(names, arguments, strict=False)), **options}
            self.connection = self.options.get("connection")
            if self.connection is not None and self.guard.guards(self.connection):
                self.autobegun = self.guard.autobegun(self.connection)
            original(*arguments, **options)

        def run_migrations(**names: Any) -> None:
            self.see(names)
            if not looking():
                raise SystemExit  # ends a thread without a traceback
            if not self.returns:
                self.left = True
                raise _Leave

        replaced: dict[str, Callable[..., Any]] = {
            "configure": configure,
            "begin_transaction": lambda *_, **__: nullcontext(),
            "run_migrations": run_migrations,
            "is_offline_mode": lambda: False,
        }
        for name, function in replaced.items():
            setattr(context, name, function)

    def see(self, names: Mapping[str, Any], *, fresh: bool = False) -> None:
        connection = self.connection
        if connection is None:
            raise CommandError(
                "env.py calls context.configure() without a connection, though not in offline mode"
            )
        number = len(self.seen) + 1
        name = str(names.get("engine_name") or ("default" if number == 1 else number))
        self.guard.end_transactions_except(connection)
        reading = self._reader(connection, fresh=fresh, in_thread=not looking())
        with self.guard.entered(), reading as (reader, callers, notes):
            self.seen.append(
                self.visit(
                    Sighting(
                        name=name,
                        reader=reader,
                        url=connection.engine.url,
                        options=self.options,
                        unknown_options=unknown_configure_options(self.options),
                        autobegun=self.autobegun,
                        callers_connection=callers,
                        notes=notes,
                    )
                )
            )

    def visit_configured(self, *, fresh: bool = False) -> None:
        """env.py configured, but never ran: look at what it configured all the same.

        :param fresh: env.py has failed, so its own connection is in no good state.
        """
        connection = self.connection
        if connection is None:
            return
        if fresh and connection.dialect.is_async:  # env.py's event loop is over, and its connections with it
            engine = separate_engine(connection.engine)
            asyncio.run(_run_sync(engine, self._see_over))
        else:
            self.see({}, fresh=fresh)

    def _see_over(self, connection: Connection) -> None:
        self.connection = connection
        self.see({})

    def is_to_blame_for(self, raised: BaseException) -> bool:
        """Whether env.py may have failed because we look: a write did not happen, or a savepoint was ended."""
        if self.guard.refused_because_of(raised):
            return True
        if isinstance(raised, DBAPIError) and "savepoint" in str(raised.orig).lower():
            return bool(self.seen)
        broken = isinstance(raised, (ImportError, SyntaxError, AlembicExtError, LookRefused))
        return bool(self.guard.refused) and not broken

    def after_refusal(self, error: EnvError) -> EnvError | None:
        """Go on with a fresh connection and the options learnt where env.py failed for want of a write.

        :return: the error, when nothing was learnt or the database is gone in the meantime.
        """
        if not self.guard.refused:  # it was sent, and the server refused it
            path = str(error.path) if error.path else None
            self.guard.refused.append(RefusedWrite("a write", path, error.line, sent=True))
        try:
            self.visit_configured(fresh=True)
        except (SQLAlchemyError, LookRefused, OSError):
            return error
        return None if self.seen else error

    @contextmanager
    def _reader(
        self, connection: Connection, *, fresh: bool, in_thread: bool
    ) -> Iterator[tuple[Reader, bool, tuple[str, ...]]]:
        if not fresh and not connection.closed and self.guard.guards(connection):
            yield Reader(connection), False, ()
        elif in_memory(connection.engine):
            note = "The database is in this process's memory: it was read over the caller's own connection."
            yield Reader(connection, ends_transactions=False), True, (note,)
        else:
            engine: Engine = separate_engine(connection.engine)
            translated = connection.get_execution_options().get("schema_translate_map")
            try:
                with engine.connect() as other:
                    theirs = None if connection.closed or fresh else connection
                    other.execution_options(schema_translate_map=translated)
                    if in_thread:
                        yield Reader(other), True, (_IN_THREAD,)
                    else:
                        notes = (_CALLERS,) if theirs is not None else ()
                        yield Reader(other, like=theirs), theirs is not None, notes
            finally:
                engine.dispose()


def unknown_configure_options(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Options that ``context.configure`` swallows without a word."""
    return tuple(sorted(set(options) - known_configure_options()))


def known_configure_options() -> set[str]:
    """The named parameters of ``configure``, and those that the runtime reads from its ``**kw``."""
    named = {
        name
        for name, parameter in signature(EnvironmentContext.configure).parameters.items()
        if parameter.kind is not Parameter.VAR_KEYWORD
    }
    return named | _OPTIONS_READ_FROM_KW


_OPTIONS_READ_FROM_KW = {
    "as_sql",
    "batch_separator",
    "destination_rev",
    "dont_mutate",
    "fn",
    "include_symbol",
    "mssql_batch_separator",
    "oracle_batch_separator",
    "output_encoding",
    "purge",
    "script",
    "version_table",
    "version_table_pk",
    "version_table_schema",
}


def _env_error(raised: BaseException, workspace: Workspace) -> EnvError:
    if isinstance(raised, LookRefused):
        return EnvError(error=raised, kind="refused")
    path, line = _users_frame(raised, workspace)
    kind = "exits" if isinstance(raised, SystemExit) else "raised"
    return EnvError(error=raised, kind=kind, path=path, line=line)


def _users_frame(raised: BaseException, workspace: Workspace) -> tuple[Path | None, int | None]:
    """The innermost frame of the project's own code: inside the project root, and not an installed library."""
    if isinstance(raised, SyntaxError) and raised.filename:
        return Path(raised.filename), raised.lineno
    roots = (str(workspace.settings.root), str(workspace.script_location))
    found: tuple[Path | None, int | None] = (None, None)
    for frame in traceback.extract_tb(raised.__traceback__):
        name = frame.filename
        if name.startswith(roots) and "site-packages" not in name and "dist-packages" not in name:
            found = Path(name), frame.lineno
    return found


@contextmanager
def _bystanders_untouched() -> Iterator[None]:
    """Put back what env.py does to logging, and write no bytecode of the project's."""
    root = logging.getLogger()
    loggers = [root, *(one for one in root.manager.loggerDict.values() if isinstance(one, logging.Logger))]
    before = [(one, one.level, one.disabled, one.propagate, list(one.handlers)) for one in loggers]
    quiet = [logging.getLogger(name) for name in _quiet_loggers()]
    for logger in quiet:
        logger.addFilter(_not_while_looking)
    disabled, bytecode = root.manager.disable, sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        with _open_handlers_hidden():
            yield
    finally:
        sys.dont_write_bytecode = bytecode
        for logger in quiet:
            logger.removeFilter(_not_while_looking)
        root.manager.disable = disabled
        known = {one for one, *_ in before}
        for one in root.manager.loggerDict.values():
            if isinstance(one, logging.Logger) and one not in known:
                one.handlers.clear()
                one.setLevel(logging.NOTSET)
                one.disabled, one.propagate = False, True
        for one, level, was_disabled, propagate, handlers in before:
            one.handlers[:] = handlers
            one.setLevel(level)
            one.disabled, one.propagate = was_disabled, propagate


def _quiet_loggers() -> list[str]:
    """Alembic's loggers: those that are there, and the one of the multidb template's env.py."""
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "alembic"]
    return [*known, "alembic.env"]


def _not_while_looking(record: logging.LogRecord) -> bool:
    """What Alembic says of its work is about ours here; another thread's is let through."""
    return record.levelno >= logging.WARNING or not looking()


@contextmanager
def _open_handlers_hidden() -> Iterator[None]:
    """``fileConfig`` closes every handler that the logging module knows of: let it know none of the application's."""
    listed, named = list(logging._handlerList), dict(logging._handlers)  # type: ignore[attr-defined]  # noqa: SLF001
    logging._handlerList.clear()  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        yield
    finally:
        logging._handlerList[:0] = listed  # type: ignore[attr-defined]  # noqa: SLF001
        logging._handlers.update(named)  # type: ignore[attr-defined]  # noqa: SLF001


# --- how often env.py migrates --------------------------------------------------------------------------------


def migrates_once(env_script: Path) -> bool:
    """Whether env.py's text proves that ``run_migrations`` is called once at most, outside offline mode.

    Only the text is read. In doubt the answer is no: env.py then runs on after each database, under guard.
    """
    try:
        tree = ast.parse(env_script.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    return _Calls(tree).within([tree]) == 1


_MANY = 2
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_REPEATED = (
    *(ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    ast.Lambda,
)


class _Calls:
    """Counts the calls of ``run_migrations`` in env.py's text, following its own functions where they are called.

    What may run more than once counts as many: a loop, a method, a decorated function, one that calls itself or
    is defined twice, and one that is handed to another function than ``run_sync``.
    """

    def __init__(self, tree: ast.AST) -> None:
        methods = {id(one) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for one in node.body}
        self.definitions: dict[tuple[type[ast.AST], str], list[ast.AST]] = {}
        for node in ast.walk(tree):
            if isinstance(node, _FUNCTIONS):
                kind = ast.Attribute if id(node) in methods else ast.Name
                self.definitions.setdefault((kind, node.name), []).append(node)
        self.entered: list[ast.AST] = []

    def within(self, nodes: Iterable[ast.AST]) -> int:
        return sum(self._at(node) for node in nodes if not isinstance(node, _FUNCTIONS))

    def _at(self, node: ast.AST) -> int:
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If):
            body, orelse = self.within(node.body), self.within(node.orelse)
            test = ast.unparse(node.test)
            if test.endswith("is_offline_mode()"):  # of the two branches only the one that runs online
                return {True: body, False: orelse}[test.startswith("not ")]
            return self._at(node.test) + max(body, orelse)
        if isinstance(node, ast.Call):
            handed = node.args[:1] if _name(node.func) == "run_sync" else []
            called = [node.func, *handed]
            return sum(map(self._called, called)) + self.within(one for one in children if one not in called)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._called(node) * _MANY
        return self.within(children) * (_MANY if isinstance(node, _REPEATED) else 1)

    def _called(self, node: ast.AST) -> int:
        """How often a call of what this expression names runs the migrations."""
        name = _name(node)
        definitions = self.definitions.get((type(node), name), [])
        if not definitions:
            return int(name == "run_migrations") + self.within(ast.iter_child_nodes(node))
        if any(one in self.entered for one in definitions):
            return _MANY
        self.entered += definitions
        count = sum(self.within(ast.iter_child_nodes(one)) for one in definitions)
        del self.entered[-len(definitions) :]
        plain = isinstance(node, ast.Name) and len(definitions) == 1
        return count if plain and not getattr(definitions[0], "decorator_list", []) else count * _MANY


def _name(node: ast.AST) -> str:
    return str(getattr(node, "attr", None) or getattr(node, "id", None) or "")
