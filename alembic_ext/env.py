"""The door for env.py: two lines there, and every command finds the same database, models and options.

.. code-block:: python

    from alembic_ext.env import run_migrations

    run_migrations("app.core.database:Base")
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import logging.config
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from alembic_ext.connections import CONNECT_TIMEOUTS, OPEN_SQLITE
from alembic_ext.errors import AlembicExtError
from alembic_ext.redaction import redact
from alembic_ext.settings import Settings, resolve_settings
from alembic_ext.settings.engine_options import with_utf8_password
from alembic_ext.settings.python_path import folder_holding
from alembic_ext.workspace import SETTINGS_ATTRIBUTE

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["database_url", "run_migrations"]


def run_migrations(metadata: Any = None, /, **configure_options: Any) -> None:
    """Run the migration environment on the database that the settings name.

    :param metadata: a ``MetaData``, a declarative base, a dotted name of either (``"app.models:Base"``), or a
        list of these; without it, the setting ``metadata``.
    :param configure_options: handed to ``context.configure`` as they are; they beat everything that is
        decided here, ``connection`` and ``url`` included.
    :raises AlembicExtError: the settings name no usable database, or the metadata cannot be had.
    """
    config = _config()
    _configure_logging(config)
    settings = _settings(config)
    _extend_python_path(settings.python_path)
    if "target_metadata" not in configure_options:
        configure_options["target_metadata"] = _target_metadata(
            settings.own.metadata if metadata is None else metadata, settings
        )
    given = _given_connection(
        configure_options.pop("connection", None) or config.attributes.get("connection")
    )
    if context.is_offline_mode():
        _run_offline(settings, given, configure_options)
    elif isinstance(given, Connection):
        _run(given, configure_options)
    elif isinstance(given, Engine):
        with given.connect() as connection:
            _run(connection, configure_options)
    else:
        _run_online(settings, configure_options)


def database_url() -> URL:
    """The URL that the settings name, for an env.py that makes its own engine.

    Hand the object itself to ``create_engine``: ``str(url)`` hides the password, and a configuration option
    cannot hold every password.

    :raises AlembicExtError: the settings name no usable database.
    """
    return _settings(_config()).require_database().url


def _settings(config: Config) -> Settings:
    """What the command that runs env.py has resolved already, else the same by the same code."""
    settings = config.attributes.get(SETTINGS_ATTRIBUTE)
    return settings if isinstance(settings, Settings) else resolve_settings(config)


def _config() -> Config:
    try:
        return context.config
    except (AttributeError, NameError):
        raise AlembicExtError(
            "alembic_ext.env was called outside of a migration environment.",
            hint="It belongs into env.py, which Alembic runs: alembic current",
        ) from None


# --- running --------------------------------------------------------------------------------------------------


def _run(connection: Connection, options: Mapping[str, Any]) -> None:
    context.configure(
        **{
            "connection": connection,
            "render_as_batch": connection.dialect.name == "sqlite",
            "compare_type": True,
            "compare_server_default": True,
            **options,
        }
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_offline(settings: Settings, given: Connection | Engine | None, options: dict[str, Any]) -> None:
    """Print the SQL instead of running it. No connection is opened."""
    if given is not None:
        options.setdefault("url", given.engine.url)
    elif "dialect_name" not in options:
        url, _, origin = _database(settings, options)
        _dialect(url, origin)
        options["url"] = url
    context.configure(
        **{
            "literal_binds": True,
            "dialect_opts": {"paramstyle": "named"},
            "compare_type": True,
            "compare_server_default": True,
            **options,
        }
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_online(settings: Settings, options: Mapping[str, Any]) -> None:
    engine, origin = _engine(settings, options)
    _make_folder_when_connecting(engine)
    if SETTINGS_ATTRIBUTE not in context.config.attributes:  # who looks has time-outs of its own
        _wait_for_an_answer(engine, settings.own.connect_timeout)
    if engine.dialect.is_async:
        _run_coroutine(lambda: _run_async(engine, options, origin))
        return
    try:
        with _connecting(engine, origin):
            connection = engine.connect()
        with connection:
            _run(connection, options)
    finally:
        engine.dispose()


async def _run_async(sync_engine: Engine, options: Mapping[str, Any], origin: str) -> None:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: PLC0415 - needs greenlet

    engine = AsyncEngine(sync_engine)
    try:
        with _connecting(sync_engine, origin):
            connection = await engine.connect()
        try:
            await connection.run_sync(_run, options)
        finally:
            await connection.close()
    finally:
        await engine.dispose()


def _run_coroutine(start: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end in an event loop of our own, also when the caller's thread has a running one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(start())
        return
    caller = contextvars.copy_context()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="alembic_ext") as executor:
        executor.submit(caller.run, lambda: asyncio.run(start())).result()


# --- the database ---------------------------------------------------------------------------------------------


def _given_connection(given: object) -> Connection | Engine | None:
    """The connection that a program handed over, whatever form it has."""
    given = getattr(given, "sync_connection", given)  # what an AsyncConnection wraps
    if given is None or isinstance(given, (Connection, Engine)):
        return given
    raise AlembicExtError(
        f'config.attributes["connection"] is of the type {type(given).__name__}.',
        hint="Hand over a Connection or an Engine; from asynchronous code: await connection.run_sync(upgrade, config)",
    )


def _engine(settings: Settings, options: Mapping[str, Any]) -> tuple[Engine, str]:
    """The engine for the database, pooled only when the configuration says how; and where it was named."""
    url, engine_options, origin = _database(settings, options)
    dialect = _dialect(url, origin)
    if not any(name.startswith("pool") or name == "max_overflow" for name in engine_options):
        engine_options["poolclass"] = NullPool
    engine_options = with_utf8_password(url, engine_options)
    try:
        if dialect.is_async:
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - needs greenlet

            return create_async_engine(url, **engine_options).sync_engine, origin
        return create_engine(url, **engine_options), origin
    except ImportError as error:
        raise AlembicExtError(
            f"The driver of {url.drivername} cannot be used: {redact(str(error), settings.secrets)}",
            hint=f"Install its package into this environment, or name another driver: {origin}.",
            code="AX107",
        ) from error
    except (TypeError, ArgumentError) as error:
        raise AlembicExtError(
            f"SQLAlchemy refuses the options of the database: {redact(str(error), settings.secrets)}",
            hint=f"Mend them: {origin}.",
        ) from error


def _database(settings: Settings, options: Mapping[str, Any]) -> tuple[URL, dict[str, Any], str]:
    """The URL, the options for the engine, and where both were said."""
    if options.get("url") is not None:
        return make_url(options["url"]), {}, "the option url in env.py"
    database = settings.require_database()
    source = database.source
    said = (_shown(source.path, settings.root) if source.path else None, source.key)
    return (
        database.url,
        dict(database.engine_options),
        ", ".join(part for part in said if part) or "the settings",
    )


def _dialect(url: URL, origin: str) -> type[Dialect]:
    try:
        return url.get_dialect()
    except NoSuchModuleError:
        raise AlembicExtError(
            f"SQLAlchemy has no dialect for {url.drivername!r} in this environment.",
            hint=f"Mend the name, or install the dialect's package: {origin}.",
            code="AX107",
        ) from None


def _make_folder_when_connecting(engine: Engine) -> None:
    """Let ``upgrade`` work in a fresh clone: SQLite creates its file, but not the folder around it.

    Done while connecting and by commands that migrate only, so nobody who merely looks creates anything.
    """
    database = engine.url.database or ":memory:"
    if (
        engine.dialect.name != "sqlite"
        or database == ":memory:"
        or database.startswith("file:")
        or not _migrates()
    ):
        return

    @event.listens_for(engine, "do_connect")
    def make_folder(*_arguments: object) -> None:
        try:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AlembicExtError(
                f"The folder of the SQLite database {database} cannot be created: {error.strerror}.",
                hint="Create it, or name a file in a folder that you may write.",
            ) from error


def _wait_for_an_answer(engine: Engine, seconds: float) -> None:
    """Let a server that accepts a connection and then says nothing be an error, and not a wait for ever.

    PyMySQL has a time-out for reading only: it is in force while connecting, and then it is lifted, because a
    migration may take its time.
    """
    driver = engine.dialect.driver
    names = [
        name for name in CONNECT_TIMEOUTS.get(driver, ()) if driver == "pymysql" or name != "read_timeout"
    ]

    @event.listens_for(engine, "do_connect")
    def limit(_dialect: object, record: Any, _arguments: object, parameters: dict[str, Any]) -> None:
        record.info["lift"] = driver == "pymysql" and "read_timeout" not in parameters
        for name in names:
            parameters.setdefault(name, max(1, int(seconds)))

    @event.listens_for(engine, "connect")
    def lift(dbapi_connection: Any, record: Any) -> None:
        if record.info.pop("lift", False):
            dbapi_connection._read_timeout = None  # noqa: SLF001 - there is no other way
        if driver in ("pysqlite", "aiosqlite"):
            cursor = dbapi_connection.cursor()
            cursor.execute(OPEN_SQLITE)
            cursor.close()


@contextmanager
def _connecting(engine: Engine, origin: str) -> Iterator[None]:
    """On a command line, say in one sentence why there is no connection; a program gets the driver's exception.

    The doctor gets it too: it looks at the exception itself.
    """
    try:
        yield
    except Exception as error:
        config = context.config
        if config.cmd_opts is None or SETTINGS_ATTRIBUTE in config.attributes:
            raise
        from alembic_ext.facts.env_script import connection_failure  # noqa: PLC0415 - only when it fails

        failure = connection_failure(error, engine.url)
        if failure is None:
            raise
        raise AlembicExtError(
            failure.summary, hint=f"{failure.hint} It was named by: {origin}.", code=failure.code
        ) from error


def _migrates() -> bool:
    """Whether the command has a destination: upgrade, downgrade and stamp do, reading commands do not."""
    try:
        context.get_revision_argument()
    except KeyError as error:
        return error.args != ("destination_rev",)
    except CommandError:
        return True  # an ambiguous or unknown destination, which Alembic explains better than we can
    return True


# --- the models -----------------------------------------------------------------------------------------------


class _MetaDataList(list[MetaData]):
    """Several collections of models that share one naming convention.

    Alembic asks the value it was given for its ``naming_convention``; a plain list would lose it.
    """

    @property
    def naming_convention(self) -> Any:
        return self[0].naming_convention


def _target_metadata(given: Any, settings: Settings) -> MetaData | list[MetaData] | None:
    found = list(dict.fromkeys(_each_metadata(given, settings, "The metadata given in env.py")))
    if len(found) <= 1:
        return found[0] if found else None
    conventions_agree = all(metadata.naming_convention == found[0].naming_convention for metadata in found)
    return _MetaDataList(found) if conventions_agree else found


def _each_metadata(given: Any, settings: Settings, said: str) -> Iterator[MetaData]:
    if isinstance(given, MetaData):
        yield given
    elif isinstance(getattr(given, "metadata", None), MetaData):
        yield given.metadata
    elif isinstance(given, str) and said != f"The metadata {given!r}":
        yield from _each_metadata(_named(given, settings), settings, f"The metadata {given!r}")
    elif isinstance(given, Sequence) and not isinstance(given, str):
        for item in given:
            yield from _each_metadata(item, settings, said)
    else:
        raise AlembicExtError(
            f"{said} is {_kind(given)}, and not a MetaData, a declarative base, or a list of these.",
            hint='Name the base class of the models: run_migrations("app.models:Base")',
        )


def _kind(value: object) -> str:
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}, which has no attribute 'metadata'"
    if isinstance(value, type):
        return f"the class {value.__qualname__}, which has no 'metadata'"
    return f"of the type {type(value).__name__}"


def _named(dotted_name: str, settings: Settings) -> Any:
    """What ``package.module:Name``, or the same with a dot, stands for."""
    module_name, colon, attributes = dotted_name.partition(":")
    parts = [*module_name.split("."), *(attributes.split(".") if attributes else ())]
    if not all(part.isidentifier() for part in parts) or (colon and not attributes):
        raise AlembicExtError(
            f"The metadata {dotted_name!r} is not a dotted name.", hint="Write it like this: app.models:Base"
        )
    at_most = len(module_name.split("."))
    for count in range(at_most, at_most - 1 if colon else 0, -1):
        module = _imported(".".join(parts[:count]), dotted_name, settings)
        if module is not None:
            return _attribute(module, parts[count:], dotted_name)
    raise _not_found(".".join(parts[:at_most] if colon else parts[:1]), dotted_name, settings)


def _imported(module_name: str, dotted_name: str, settings: Settings) -> ModuleType | None:
    """The module, or ``None`` when there is none of this name. What it raises by itself is shown as it is."""
    try:
        return importlib.import_module(module_name)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}."):
            return None
        raise AlembicExtError(
            f"The metadata {dotted_name!r} cannot be imported: "
            f"{redact(str(error), settings.secrets)}{_importing_line(error, settings.root)}.",
            hint=_where_is(error.name, settings) if isinstance(error, ModuleNotFoundError) else None,
            code="AX111",
        ) from error


def _attribute(module: ModuleType, names: Sequence[str], dotted_name: str) -> Any:
    value: Any = module
    for name in names:
        if not hasattr(value, name):
            owner = value.__name__ if isinstance(value, (ModuleType, type)) else f"a {type(value).__name__}"
            usable = sorted(key for key, item in vars(module).items() if _is_metadata(item))
            raise AlembicExtError(
                f"The metadata {dotted_name!r} cannot be found: {owner} has no {name!r}.",
                hint=f"{module.__name__} has: {', '.join(usable)}" if usable else None,
                code="AX111",
            )
        value = getattr(value, name)
    return value


def _is_metadata(value: object) -> bool:
    """Whether a name with this value would do: a MetaData, or a base class (mapped classes are not offered)."""
    holder = value.__dict__ if isinstance(value, type) else {}
    return isinstance(value, MetaData) or isinstance(holder.get("metadata"), MetaData)


def _not_found(module_name: str, dotted_name: str, settings: Settings) -> AlembicExtError:
    return AlembicExtError(
        f"The metadata {dotted_name!r} cannot be imported: no module named {module_name!r}.",
        hint=_where_is(module_name, settings),
        code="AX111",
    )


def _importing_line(error: ImportError, root: Path) -> str:
    """The line of the project that asked for the module that is missing."""
    library = (str(Path(importlib.__file__).parent), "<frozen", __file__)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(library)
    ]
    return f" ({_shown(Path(frames[-1].filename), root)}, line {frames[-1].lineno})" if frames else ""


def _where_is(module_name: str | None, settings: Settings) -> str | None:
    """Which folder holds the module, as the next thing to do."""
    if not module_name:
        return None
    package, _, rest = module_name.partition(".")
    loaded = sys.modules.get(package)
    if rest and loaded is not None:
        homes = [str(home) for home in getattr(loaded, "__path__", ())] or [loaded.__file__ or package]
        return f"{package} was found in {_shown(Path(homes[0]), settings.root)}."
    folder = folder_holding(package, settings.root)
    if folder is None:
        return f"No folder of the project holds {package!r}: is its package installed in this environment?"
    return f"The folder {_shown(folder, settings.root)} holds {package!r}: add it to prepend_sys_path or PYTHONPATH."


# --- the process ----------------------------------------------------------------------------------------------


def _extend_python_path(folders: Sequence[Path]) -> None:
    """Project root first, and every folder once."""
    ours = [str(folder) for folder in folders]
    sys.path[:] = [*ours, *(folder for folder in sys.path if folder not in ours)]


def _configure_logging(config: Config) -> None:
    """Log as the ini says, on a command line only: a program that calls Alembic has its own logging."""
    if config.cmd_opts is None or not all(
        map(config.file_config.has_section, ("loggers", "handlers", "formatters"))
    ):
        return
    try:
        logging.config.fileConfig(config.file_config, disable_existing_loggers=False)
    except Exception as error:
        raise AlembicExtError(
            f"The logging sections of {config.config_file_name} cannot be used: {type(error).__name__}: {error}",
            hint="Mend them, or remove the sections loggers, handlers and formatters.",
            code="AX113",
        ) from error


def _shown(path: Path, root: Path) -> str:
    """A path as a person of this project would write it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
