"""Gather every fact that the wanted checks need, from cheap to dear."""

from __future__ import annotations

import warnings
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from alembic_ext.connections import NotVisibleError
from alembic_ext.facts.availability import NotApplicable, Unavailable
from alembic_ext.facts.commits import find_commits
from alembic_ext.facts.created_tables import CreatedTables, created_tables, may_name_a_schema
from alembic_ext.facts.driver_errors import first_line, permission_denied, why_unreadable
from alembic_ext.facts.env_script import EnvScript, Failure, explain
from alembic_ext.facts.history import History
from alembic_ext.facts.live_tables import LiveTables, read_live_tables, tables_of_project
from alembic_ext.facts.lost_revisions import LostRevision, find_lost_revisions
from alembic_ext.facts.models import Models, excluded_tables, read_models
from alembic_ext.facts.privileges import cannot_read, read_privileges
from alembic_ext.facts.revision_files import RevisionFiles, read_revision_files
from alembic_ext.facts.target import Target, holds_rest_of_password, read_target, source_of, target_of_url
from alembic_ext.facts.version_control import VersionControl, read_version_control
from alembic_ext.facts.version_table import VersionTable, read_version_table, read_version_tables_elsewhere
from alembic_ext.settings.ini_file import IniFile, read_ini_file
from alembic_ext.settings.shadowing import read_shadowing
from alembic_ext.workspace import Look, Sighting, Workspace, look, look_by_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from alembic_ext.settings import Settings

T = TypeVar("T")

PROJECT_FACTS = frozenset(
    {
        "settings",
        "ini_file",
        "shadowing",
        "revision_files",
        "history",
        "commits",
        "created_tables",
        "version_control",
        "lost_parents",
        "env_script",
    }
)
"""Facts about the project, each once."""

DATABASE_FACTS = frozenset(
    {
        "target",
        "configured",
        "version_table",
        "version_tables_elsewhere",
        "live_tables",
        "models",
        "model_tables",
        "privileges",
        "lost_revisions",
    }
)
"""Facts about one database."""

SUPPORTED_DIALECTS = frozenset({"sqlite", "mysql", "mariadb", "postgresql"})


@dataclass(frozen=True)
class DatabaseFacts:
    """What is true of one database: fact name -> value, ``Unavailable`` or ``NotApplicable``.

    :param tried: where env.py tried to connect, in vain.
    """

    name: str
    values: Mapping[str, object]
    tried: Target | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that was gathered."""

    project: Mapping[str, object]
    databases: tuple[DatabaseFacts, ...]


def gather(workspace: Workspace, wanted: frozenset[str] = PROJECT_FACTS | DATABASE_FACTS) -> Facts:
    """Look at the project, and at its databases when a wanted fact is about a database.

    :param wanted: names of facts; those that cost something are left out (``NotApplicable``) when not wanted.
    """
    settings = workspace.settings
    files = _had(
        lambda: read_revision_files(
            workspace.script_location,
            workspace.locations,
            recursive=workspace.recursive,
            sourceless=workspace.sourceless,
        ).without(_locations_of_other_sections(workspace))
    )
    history = _from(files, _history)
    project: dict[str, object] = {
        "settings": settings,
        "ini_file": _had(
            lambda: (
                read_ini_file(settings, env_script=workspace.env_script, config=workspace.callers_config)
                or NotApplicable("no ini file plays a part")
            )
        ),
        "shadowing": _had(lambda: read_shadowing(settings)),
        "revision_files": files,
        "history": history,
        "commits": _from(files, find_commits),
        "created_tables": _from(files, lambda known: lru_cache(maxsize=1)(lambda: created_tables(known))),
        "version_control": _had(lambda: read_version_control(settings.root, workspace.locations))
        if wanted & {"version_control", "lost_revisions", "lost_parents"}
        else NotApplicable("not asked for"),
    }
    project["lost_parents"] = (
        _from(history, lambda known: _find_lost(workspace, project, (one.parent for one in known.missing)))
        if "lost_parents" in wanted
        else NotApplicable("not asked for")
    )
    if not wanted & (DATABASE_FACTS | {"env_script"}):
        nothing = NotApplicable("not asked for")
        return Facts({**project, "env_script": nothing}, (_all("default", nothing),))
    script, databases = _look_at_databases(workspace, project, wanted)
    if settings.problems and any(failure.over_url for failure in script.failures):
        others = tuple(failure for failure in script.failures if not failure.over_url)
        script = replace(script, failures=others)
    else:
        project["settings"] = settings.without_unnamed_problems()
    control = project["version_control"]
    if isinstance(control, Unavailable):  # a repository that git refuses to read says nothing of the database
        project["version_control"] = NotApplicable(f"git was not asked: {control.reason}", notable=True)
    return Facts({**project, "env_script": script}, databases)


def _locations_of_other_sections(workspace: Workspace) -> tuple[Path, ...]:
    """Version locations of the other environments in the same ini file: they are searched with ``-n``."""
    found: list[Path] = []
    for section in workspace.config.file_config.sections():
        if section != workspace.settings.section:
            other = copy(workspace.config)
            other.config_ini_section = section
            with warnings.catch_warnings(), suppress(Exception):  # a section of something else says anything
                warnings.simplefilter("ignore")
                named = other.file_config.has_option(section, "version_locations")
                found += [
                    workspace.settings.root / one for one in other.get_version_locations_list() or () if named
                ]
    return tuple(Path(normpath(one)) for one in found)


def _had(read: Callable[[], T]) -> T | Unavailable:
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - what cannot be had is a fact, not a crash
        return Unavailable(f"{type(error).__name__}: {first_line(error)}")


def _from(value: Any, read: Callable[[Any], T]) -> T | Unavailable | NotApplicable:
    """A fact made from another one, as unavailable as that one is."""
    return value if isinstance(value, Unavailable | NotApplicable) else _had(lambda: read(value))


def _history(files: RevisionFiles) -> History | Unavailable:
    """Of files that are not where they are looked for nothing is known, not even that there are none."""
    if files.none_found:
        return Unavailable("no revision file was found where Alembic looks", because="AX201")
    return History.from_files(files)


def _all(name: str, value: Unavailable | NotApplicable, **known: object) -> DatabaseFacts:
    return DatabaseFacts(name, {**dict.fromkeys(DATABASE_FACTS, value), **known})


def _look_at_databases(
    workspace: Workspace, project: Mapping[str, object], wanted: frozenset[str]
) -> tuple[EnvScript, tuple[DatabaseFacts, ...]]:
    missing = _settings_failure(workspace)
    seen: Look[DatabaseFacts] = look(workspace, lambda sighting: _read(sighting, workspace, project, wanted))
    database = workspace.settings.database
    ini_file = project["ini_file"]
    ini_is_named = isinstance(ini_file, IniFile) and bool(ini_file.problems)
    failures: list[Failure] = []
    unreached: str | None = None
    databases = seen.seen
    if seen.error is not None and seen.error.refused and databases:
        seen = replace(seen, error=None)
        databases += (_all(str(len(databases) + 1), _NOT_ASKED),)
    elif seen.error is not None and seen.error.refused and missing is None and database is not None:
        again = look_by_settings(workspace, lambda sighting: _read(sighting, workspace, project, wanted))
        seen = replace(again, refused=seen.refused)
        databases = tuple(_all(one.name, _NOT_ASKED, target=one.values["target"]) for one in again.seen)
    if seen.error is not None:
        failure = explain(
            seen.error, workspace, database.url if database else None, ini_is_named=ini_is_named
        )
        failures.append(failure)
        if (
            missing is None
            and failure.code in _LOOK_BY_SETTINGS_AFTER
            and database is not None
            and not databases
        ):
            again = look_by_settings(workspace, lambda sighting: _read(sighting, workspace, project, wanted))
            databases = tuple(_without_env_script(one, failure) for one in again.seen)
            if again.error is not None:
                failures.append(explain(again.error, workspace, database.url))
        if not databases:
            last = failures[-1]
            unreached = missing if missing and last.over_url else last.code
            databases = (_unreached(unreached, last, workspace.settings),)
        elif seen.seen:  # one of several
            databases += (_unreached(failure.code, failure, workspace.settings, str(len(databases) + 1)),)
    script = EnvScript(
        path=workspace.env_script, failures=tuple(failures), refused=seen.refused, unreached=unreached
    )
    return script, databases


_NOT_ASKED = Unavailable("env.py stopped before this, because the doctor did not let it write")


_LOOK_BY_SETTINGS_AFTER = frozenset({"AX111", "AX113"})


def _settings_failure(workspace: Workspace) -> str | None:
    """The code of the settings' own problem: with it, what env.py says of its URL is only an echo."""
    return next((problem.code for problem in workspace.settings.problems), None)


def _unreached(code: str, failure: Failure, settings: Settings, name: str = "default") -> DatabaseFacts:
    tried = None
    if failure.url is not None and not failure.over_url and not holds_rest_of_password(failure.url):
        tried = target_of_url(failure.url, source_of(failure.url, settings), assumed=False)
    return replace(_all(name, Unavailable("the database was not reached", because=code)), tried=tried)


def _without_env_script(facts: DatabaseFacts, failure: Failure) -> DatabaseFacts:
    """What only env.py could have said is not known."""
    unknown = Unavailable("env.py did not get that far", because=failure.code)
    known = {"configured": unknown, "models": unknown, "model_tables": frozenset()}
    return DatabaseFacts(facts.name, {**facts.values, **known})


def _read(
    sighting: Sighting, workspace: Workspace, project: Mapping[str, object], wanted: frozenset[str]
) -> DatabaseFacts:
    """Everything about one database, over env.py's own connection. Never raises."""
    reader = sighting.reader
    if reader.dialect.name not in SUPPORTED_DIALECTS:
        unsupported = NotApplicable(f"unsupported dialect {reader.dialect.name}")
        target = read_target(reader, sighting.url, workspace.settings, assumed=sighting.assumed)
        return _all(sighting.name, unsupported, target=target, configured=sighting)
    version_table = _asked(lambda: read_version_table(reader, sighting.options))
    models = _had(lambda: read_models(sighting.options))
    model_tables = models.qualified if isinstance(models, Models) else frozenset()
    schemas = _schemas(project, model_tables)

    def created() -> CreatedTables:
        known = project["created_tables"]
        return known() if callable(known) else CreatedTables(names=frozenset(), complete=False)

    def names() -> frozenset[str]:
        return created().names | {name for _, name in model_tables}

    elsewhere = _from(version_table, lambda table: _asked(lambda: _elsewhere(sighting, table, names)))
    live_tables = _asked(lambda: read_live_tables(reader, schemas))
    if isinstance(models, Models) and isinstance(live_tables, LiveTables):
        models = replace(models, excluded=excluded_tables(sighting.options, live_tables))

    def ours() -> frozenset[str]:
        if not isinstance(live_tables, LiveTables) or not isinstance(version_table, VersionTable):
            return frozenset()
        return tables_of_project(live_tables, version_table, created(), model_tables)

    values: dict[str, object] = {
        "version_table": version_table,
        "target": _asked(
            lambda: read_target(reader, sighting.url, workspace.settings, assumed=sighting.assumed)
        ),
        "configured": sighting,
        "live_tables": live_tables,
        "models": models,
        "model_tables": model_tables,
        "privileges": _privileges(sighting, ours, version_table, elsewhere)
        if "privileges" in wanted
        else NotApplicable("not asked for"),
        "version_tables_elsewhere": elsewhere,
        "lost_revisions": _from(version_table, lambda table: _lost(workspace, project, table)),
    }
    return DatabaseFacts(sighting.name, _unchanged(sighting, values, schemas))


def _schemas(
    project: Mapping[str, object], model_tables: frozenset[tuple[str | None, str]]
) -> frozenset[str]:
    """The schemas that the models and the revision files name."""
    named = {schema for schema, _ in model_tables if schema}
    files, created = project["revision_files"], project["created_tables"]
    if isinstance(files, RevisionFiles) and callable(created) and may_name_a_schema(files):
        known = _had(created)
        named |= known.schemas if isinstance(known, CreatedTables) else set()
    return frozenset(named)


def _asked(read: Callable[[], T]) -> T | Unavailable:
    """An answer of the server's; not visible is not absent."""
    try:
        return read()
    except NotVisibleError as warning:
        return Unavailable(f"not everything was visible: {warning}")
    except SQLAlchemyError as error:
        because = "AX117" if permission_denied(error) else None
        return Unavailable(f"the server would not say: {why_unreadable(error)}", because=because)
    except Exception as error:  # noqa: BLE001 - see _had
        return Unavailable(f"{type(error).__name__}: {first_line(error)}")


def _privileges(sighting: Sighting, ours: Callable[[], frozenset[str]], *records: object) -> object:
    """Asked for also where a version table may not be read: that is one of them.

    :param ours: the project's live tables.
    :param records: the version table that env.py uses, and those elsewhere.
    """
    hidden = [one for one in records if isinstance(one, Unavailable) and one.because == "AX117"]
    if hidden:
        return _asked(lambda: cannot_read(sighting.reader, hidden[0].reason))
    return _from(records[0], lambda table: _asked(lambda: read_privileges(sighting.reader, table, ours)))


def _elsewhere(sighting: Sighting, used: VersionTable, names: Callable[[], frozenset[str]]) -> object:
    """Searched for only when the table that env.py uses says nothing."""
    return () if used.ids else read_version_tables_elsewhere(sighting.reader, used, names)


def _lost(workspace: Workspace, project: Mapping[str, object], used: VersionTable) -> object:
    """Every row that no file declares, and where its file can still be found."""
    history = project["history"]
    if not isinstance(history, History):
        return history
    return _find_lost(workspace, project, (row for row in used.ids if row not in history.revisions))


def _find_lost(
    workspace: Workspace, project: Mapping[str, object], unknown: Iterable[str]
) -> Mapping[str, LostRevision]:
    control = project["version_control"]
    assert isinstance(control, VersionControl | NotApplicable | Unavailable)  # noqa: S101 - made by gather
    return find_lost_revisions(
        control,
        tuple(dict.fromkeys(unknown)),
        root=workspace.settings.root,
        script_location=workspace.script_location,
        locations=workspace.locations,
    )


def _unchanged(
    sighting: Sighting, values: dict[str, object], schemas: frozenset[str]
) -> Mapping[str, object]:
    """Read the rows and the names again: a schema that changes under our eyes allows no verdict."""
    tables = values["live_tables"]
    record = values["version_table"]
    if not isinstance(tables, LiveTables) or not isinstance(record, VersionTable):
        return values
    again = _asked(lambda: read_live_tables(sighting.reader, schemas))
    record_again = _asked(lambda: read_version_table(sighting.reader, sighting.options))
    if again == tables and record_again == record:
        return values
    changing = Unavailable(
        "the schema is changing now: another migration may be running; look again when it is done"
    )
    return {**values, **dict.fromkeys(_ABOUT_SCHEMA, changing)}


_ABOUT_SCHEMA = ("version_table", "version_tables_elsewhere", "live_tables", "lost_revisions")
