"""From what was asked to ``Settings``: one pipeline, and nothing in it raises for what a user wrote."""

from __future__ import annotations

import os
from configparser import ConfigParser, InterpolationError
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_ext.redaction import worth_hiding
from alembic_ext.settings.config_file import DATABASE_KEYS, ConfigFile
from alembic_ext.settings.engine_options import ENGINE_OPTIONS, BadOptionError, engine_option, for_dialect
from alembic_ext.settings.ini_file import load_parser, option
from alembic_ext.settings.model import (
    DatabaseSetting,
    OwnSettings,
    Settings,
    SettingsProblem,
    Source,
    UnusableSettingError,
)
from alembic_ext.settings.own import own_settings, read_toml
from alembic_ext.settings.project import Project, find_project, located
from alembic_ext.settings.python_path import python_path
from alembic_ext.settings.text_file import is_file, lies_there, shown
from alembic_ext.settings.urls import BadURLError, passwords_in, read_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alembic.config import Config
    from sqlalchemy.engine import URL

_AUTO_FOUND = "config.yaml"
_URL = "sqlalchemy.url"
_PLACEHOLDER = "driver://user:pass@localhost/dbname"


@dataclass(kw_only=True)
class _Found:
    """What the search for the database has come to."""

    database: DatabaseSetting | None = None
    config_file: Path | None = None
    problems: list[SettingsProblem] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    expect: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[URL, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """The project's own files, read.

    :param url_in_code: the program that built the ``Config`` set ``sqlalchemy.url`` itself.
    """

    project: Project
    ini: Path | None
    toml: Path | None
    parser: ConfigParser | None
    tool: Mapping[str, Any]
    own: OwnSettings
    section: str
    environ: Mapping[str, str]
    url_in_code: bool = False

    @property
    def ini_name(self) -> str:
        return "alembic.ini" if self.ini is None else shown(self.ini, self.project.root)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A configuration file that somebody named.

    :param name: as it was written, relative to the project root or absolute.
    """

    name: str
    via: str


def resolve_settings(
    config: Config | None = None,
    *,
    config_file: str | os.PathLike[str] | None = None,
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Everything that was asked, from the command line, the environment and the project's files.

    What cannot be used becomes a ``SettingsProblem``, and then there is no database: no other source is
    tried in place of one that was named.

    :param config_file: counts like ``-x config_file=``.
    :param root: the runner's folder, where alembic.ini is looked for when nothing names one.
    """
    environ = os.environ if environ is None else environ
    project = find_project(config, root, environ, Path.cwd() if cwd is None else cwd)
    found = _Found()
    inputs = _read_project_files(config, project, environ, found)
    x = tuple(getattr(getattr(config, "cmd_opts", None), "x", None) or ())
    asked = _asked(config_file, x, inputs, found)
    _remember_ini_passwords(inputs, found)
    if not found.problems:
        _find_database(inputs, asked, found)
    table = inputs.tool.get("alembic")
    return Settings(
        root=project.root,
        ini=inputs.ini,
        ini_named=project.ini,
        toml=inputs.toml,
        section=inputs.section,
        config_file=found.config_file,
        database=None if found.problems else found.database,
        problems=tuple(found.problems),
        passed_over=tuple(found.passed_over),
        own=inputs.own,
        expect=found.expect,
        nodes=found.nodes,
        python_path=python_path(
            project.root,
            inputs.parser,
            inputs.section,
            alembic_table=table if isinstance(table, dict) else {},
            environ=environ,
        ),
        x=x,
        secrets=worth_hiding(found.secrets, _shown_words(found.database)),
    )


def _shown_words(database: DatabaseSetting | None) -> tuple[str | None, ...]:
    return (database.url.username, database.url.host, database.url.database) if database else ()


def _read_project_files(
    config: Config | None, project: Project, environ: Mapping[str, str], found: _Found
) -> _Inputs:
    """alembic.ini, the table [tool] and our own settings; each stays empty when it cannot be used."""
    inputs = _Inputs(
        project=project,
        ini=project.ini if project.ini is not None and lies_there(project.ini) else None,
        toml=project.toml if lies_there(project.toml) else None,
        parser=None,
        tool={},
        own=OwnSettings(),
        section=config.config_ini_section if config is not None else "alembic",
        environ=environ,
    )
    try:
        in_file = (
            None if inputs.ini is None else load_parser(inputs.ini, config.config_args if config else None)
        )
        inputs = replace(inputs, parser=in_file)
        if config is not None and "file_config" in vars(config):  # with what was set in code
            in_code = _raw_url(config.file_config, inputs.section)
            differs = bool(in_code) and in_code != _raw_url(in_file, inputs.section)
            inputs = replace(inputs, parser=config.file_config, url_in_code=differs)
    except UnusableSettingError as exc:
        found.problems.append(exc.problem)
    try:
        if inputs.toml is not None:
            inputs = replace(inputs, tool=read_toml(inputs.toml, project.root))
        own = own_settings(
            project.root, toml=inputs.toml, tool=inputs.tool, ini=inputs.ini, parser=inputs.parser
        )
        inputs = replace(inputs, own=own)
    except UnusableSettingError as exc:
        found.problems.append(exc.problem)
    return inputs


def _asked(
    config_file: str | os.PathLike[str] | None,
    x: tuple[str, ...],
    inputs: _Inputs,
    found: _Found,
) -> _Asked | None:
    """The first that names a file wins, the others are passed over."""
    environ, own = inputs.environ, inputs.own
    on_command_line = [item.partition("=")[2] for item in x if item.startswith("config_file=")]
    every = [
        None if config_file is None else _Asked(name=os.fspath(config_file), via="-x"),
        _Asked(name=on_command_line[-1], via="-x") if on_command_line else None,
        _Asked(name=environ["CONFIG_FILE"], via="CONFIG_FILE") if environ.get("CONFIG_FILE") else None,
        _Asked(name=own.config_file, via="setting") if own.config_file else None,
    ]
    named = [asked for asked in every if asked is not None]
    found.passed_over += [
        f"{_who(asked)} names {asked.name}, and was not used: {_who(named[0])} comes first."
        for asked in named[1:]
    ]
    return named[0] if named else None


def _find_database(inputs: _Inputs, asked: _Asked | None, found: _Found) -> None:
    """Try the sources in their order: ``-x``, a URL set in code, a file named otherwise, config.yaml, the ini."""
    root = inputs.project.root
    auto = root / _AUTO_FOUND
    if asked is not None and inputs.url_in_code and asked.via != "-x":
        found.passed_over.append(
            f"{_who(asked)} names {asked.name}, and was not used: {_URL} was set in code."
        )
    elif asked is not None:
        path = located(os.path.expanduser(asked.name), root)  # noqa: PTH111 - a name, not a path yet
        if asked.name and lies_there(path):
            _from_config_file(path, asked, inputs, found)
        else:
            found.problems.append(_file_missing(asked, path, root))
        if auto != path and is_file(auto):
            found.passed_over.append(f"{_AUTO_FOUND} was not used: {_who(asked)} comes first.")
        _pass_over_ini(inputs, _who(asked), found)
        return
    if not inputs.url_in_code and is_file(auto) and _from_config_file(auto, None, inputs, found):
        _pass_over_ini(inputs, _AUTO_FOUND, found)
        return
    _from_ini(inputs, found)


def _from_config_file(path: Path, asked: _Asked | None, inputs: _Inputs, found: _Found) -> bool:
    """Read a YAML file. ``False``: it was not named, holds no database, and is passed over."""
    named = asked is not None
    try:
        file = ConfigFile(path, inputs.project.root, inputs.environ, named=named)
        place = file.place(inputs.own.database_key)
        if place is None and not named:
            found.passed_over.append(f"{file.name} holds no database, and was passed over.")
            return False
        found.config_file = path
        file.refuse_whole()
        if place is None and not file.problems:
            file.problems.append(_no_database_in(file, inputs.own.database_key))
        if place is not None:
            described = file.database(place)
            if described is not None:
                found.database = DatabaseSetting(
                    url=described.url,
                    source=Source(
                        kind="config-file",
                        path=path,
                        key=described.key,
                        via=asked.via if asked else _AUTO_FOUND,
                    ),
                    engine_options=described.engine_options,
                    named=named,
                )
            elif not file.problems:
                file.problems.append(_no_database_in(file, inputs.own.database_key or place.key))
            found.expect, found.nodes = file.expect(), file.nodes()
            file.secrets.extend(str(url.password) for url in found.nodes if url.password)
        found.problems += file.problems
        found.passed_over += file.notes
        found.secrets += file.secrets
    except UnusableSettingError as exc:
        found.config_file = path
        found.problems.append(replace(exc.problem, named=named))
    return True


def _from_ini(inputs: _Inputs, found: _Found) -> None:
    """``sqlalchemy.url``, and what stands beside it for the engine."""
    parser, section = inputs.parser, inputs.section
    ini = None if inputs.url_in_code else inputs.ini
    name = f"{_URL} set in code" if inputs.url_in_code else f"{inputs.ini_name} [{section}] {_URL}"

    def problem(code: str, what: str, hint: str, evidence: Mapping[str, Any]) -> None:
        found.problems.append(
            SettingsProblem(
                code=code,
                summary=f"{name} {what}",
                hint=hint,
                path=ini,
                key=_URL,
                evidence={"path": str(ini) if ini else None, **evidence},
                named=inputs.url_in_code,
            )
        )

    try:
        text = option(parser, section, _URL) if parser is not None else None
        options = _ini_options(parser, section, found) if parser is not None else {}
    except InterpolationError:
        problem(
            "AX113",
            "holds a single %.",
            "Write %% for a percent sign.",
            {"reason": "single-percent", "key": _URL},
        )
        return
    except BadOptionError as exc:
        problem("AX102", f"cannot be used: {exc}.", "Correct the value.", {"reason": "option", "key": _URL})
        return
    if not text:
        found.problems.append(_no_database(inputs))
        return
    try:
        url = read_url(text, inputs.project.root)
    except BadURLError as exc:
        if exc.placeholder:
            problem("AX104", exc.message, exc.hint or "", {"looked_for": [f"[{section}] {_URL}"]})
        else:
            problem(
                "AX102",
                exc.message,
                exc.hint or "",
                {"reason": "url", "line": None, "column": None, "key": _URL},
            )
        return
    engine, _ = for_dialect(options, url.get_backend_name())
    source = Source(kind="ini", path=ini, key=f"{section}.{_URL}", via=_URL)
    found.database = DatabaseSetting(url=url, source=source, engine_options=engine, named=inputs.url_in_code)


def _ini_options(parser: ConfigParser, section: str, found: _Found) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name in parser.options(section) if parser.has_section(section) else ():
        if not name.startswith("sqlalchemy.") or name == _URL:
            continue
        key = name.removeprefix("sqlalchemy.")
        if key not in ENGINE_OPTIONS:
            found.passed_over.append(
                f"[{section}] {name} is no option that is handed over, and was not used."
            )
        elif text := option(parser, section, name):
            try:
                options[key] = engine_option(key, text)
            except BadOptionError as exc:
                raise BadOptionError(f"{name} {exc}") from None
    return options


def _raw_url(parser: ConfigParser | None, section: str) -> str:
    return (
        ""
        if parser is None or not parser.has_section(section)
        else parser.get(section, _URL, raw=True, fallback="")
    )


def _remember_ini_passwords(inputs: _Inputs, found: _Found) -> None:
    """Also when another source wins: env.py may still use this one, and fail with it."""
    for section in inputs.parser.sections() if inputs.parser is not None else ():
        raw = _raw_url(inputs.parser, section)
        if raw == _PLACEHOLDER:  # no secret: hiding "pass" would spoil our own sentences
            continue
        found.secrets += (*passwords_in(raw), *passwords_in(raw.replace("%%", "%")))


def _pass_over_ini(inputs: _Inputs, winner: str, found: _Found) -> None:
    if _raw_url(inputs.parser, inputs.section):
        found.passed_over.append(
            f"{inputs.ini_name} [{inputs.section}] {_URL} was not used: {winner} comes first."
        )


def _file_missing(asked: _Asked, path: Path, root: Path) -> SettingsProblem:
    evidence = {"named": asked.name, "via": asked.via, "looked_at": [str(path)]}
    if not asked.name:
        return SettingsProblem(
            code="AX101",
            summary=f"{_who(asked)} names no configuration file: it is empty.",
            hint="Name the file, relative to the project root or absolute.",
            evidence={**evidence, "looked_at": []},
        )
    where = (
        ""
        if Path(asked.name).is_absolute()
        else f" Relative names are looked for in the project root, {root}."
    )
    similar = _similar(path)
    return SettingsProblem(
        code="AX101",
        summary=f"{_who(asked)} names the configuration file {asked.name}, which does not exist. Looked at: {path}.",
        hint=(f"Did you mean {shown(similar, root)}?" if similar else "Name a file that exists.") + where,
        path=path,
        evidence=evidence,
    )


def _similar(path: Path) -> Path | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only when a name is wrong

    try:
        names = [
            entry.name
            for entry in path.parent.iterdir()
            if entry.suffix in {".yaml", ".yml"} and entry.is_file()
        ]
    except OSError:
        return None
    matches = get_close_matches(path.name, sorted(names), n=1)
    return path.with_name(matches[0]) if matches else None


def _no_database_in(file: ConfigFile, database_key: str | None) -> SettingsProblem:
    keys = [database_key] if database_key else list(DATABASE_KEYS)
    what = "is empty" if file.yaml.root is None else "names no database"
    return SettingsProblem(
        code="AX104",
        summary=f"{file.name} {what}. Looked for: {', '.join(keys)}.",
        hint="Add one of these keys, or name another with the setting database_key.",
        path=file.path,
        evidence={"looked_for": keys, "path": str(file.path)},
        named=file.named,
    )


def _no_database(inputs: _Inputs) -> SettingsProblem:
    """Nothing is named anywhere."""
    project, ini, section = inputs.project, inputs.ini, inputs.section
    if ini is None and inputs.toml is None:
        wanted = project.ini.name if project.ini else "alembic.ini"
        lacking = f"there is no {wanted} and no pyproject.toml in {project.root}"
    elif ini is None:
        lacking = f"there is no {_AUTO_FOUND} with a database, and no alembic.ini"
    else:
        lacking = (
            f"there is no {_AUTO_FOUND} with a database, and {inputs.ini_name} has no {_URL} in [{section}]"
        )
    return SettingsProblem(
        code="AX104",
        summary=f"No database is configured: {lacking}.",
        hint=f"Name a YAML file with CONFIG_FILE, write {_AUTO_FOUND} beside alembic.ini, or set {_URL}.",
        path=ini,
        evidence={
            "looked_for": ["CONFIG_FILE", _AUTO_FOUND, f"[{section}] {_URL}"],
            "path": str(ini) if ini else None,
        },
        named=False,
    )


def _who(asked: _Asked) -> str:
    return {"-x": "-x config_file", "CONFIG_FILE": "CONFIG_FILE", "setting": "The setting config_file"}[
        asked.via
    ]
