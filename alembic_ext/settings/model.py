"""The values that settings consist of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alembic_ext.errors import AlembicExtError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy.engine import URL


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a database URL came from.

    :param kind: ``config-file``, ``ini``, ``env-script`` or ``connection``.
    :param path: the file, absolute, or ``None``.
    :param key: the dotted key in that file (``database.mysql``), or ``None``.
    :param via: what led to that file: ``-x``, ``CONFIG_FILE``, ``setting``, ``config.yaml`` or ``sqlalchemy.url``.
    """

    kind: str
    path: Path | None = None
    key: str | None = None
    via: str | None = None


@dataclass(frozen=True, kw_only=True)
class SettingsProblem:
    """A setting that cannot be used, as data: the checks report it, the other commands raise it.

    :param code: the check that reports it, ``AX101`` to ``AX104`` or ``AX113``.
    :param summary: one sentence naming file, line, key; no secret.
    :param hint: what to do.
    :param evidence: JSON-able details (places looked at, the variable's name ...).
    :param named: somebody named the configuration that has this problem. ``False`` for an auto-found
        ``config.yaml`` and for ``sqlalchemy.url``: an env.py that finds its database itself needs neither.
    """

    code: str
    summary: str
    hint: str
    path: Path | None = None
    line: int | None = None
    column: int | None = None
    key: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    named: bool = True

    def error(self) -> AlembicExtError:
        return UnusableSettingError(self)


class UnusableSettingError(AlembicExtError):
    """Raised for a setting that cannot be used.

    :param problem: the same as data.
    """

    def __init__(self, problem: SettingsProblem) -> None:
        super().__init__(problem.summary, hint=problem.hint, code=problem.code)
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class DatabaseSetting:
    """The database that the settings name.

    :param engine_options: arguments for ``create_engine``: the pool section, ``connect_args``.
    :param named: somebody named this configuration (``-x config_file=``, ``CONFIG_FILE``, our section);
        ``False`` for an auto-found ``config.yaml`` and for ``sqlalchemy.url``.
    """

    url: URL
    source: Source
    engine_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    named: bool = False


@dataclass(frozen=True, kw_only=True)
class OwnSettings:
    """Our keys, from ``[tool.alembic_ext]`` or ``[alembic_ext]``. Times are seconds.

    :param ignore: code -> reason, for suppressed checks.
    :param unknown: keys that this version does not know, reported and otherwise unused.
    :param path: the file they came from, or ``None``.
    """

    path: Path | None = None
    config_file: str | None = None
    database_key: str | None = None
    metadata: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    connect_timeout: float = 10.0
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that was asked, resolved against the project root.

    :param root: the project root, absolute.
    :param ini: alembic.ini, absolute, when it exists.
    :param ini_named: the ini that the user or the defaults point to, whether it exists or not.
    :param toml: pyproject.toml, absolute, when it exists.
    :param section: the ini's section (``-n``).
    :param config_file: the YAML file in use, absolute, or ``None``.
    :param database: the database these settings name, or ``None`` (then ``problems`` says why).
    :param passed_over: sentences about sources that lost, for ``--verbose``.
    :param expect: ``host``, ``port``, ``database`` that the target must match, from the YAML.
    :param nodes: URLs of further cluster nodes, from the YAML.
    :param python_path: absolute folders, project root first, no duplicates.
    :param x: the ``-x`` arguments.
    :param secrets: strings that must never be printed.
    """

    root: Path
    ini: Path | None = None
    ini_named: Path | None = None
    toml: Path | None = None
    section: str = "alembic"
    config_file: Path | None = None
    database: DatabaseSetting | None = None
    problems: tuple[SettingsProblem, ...] = ()
    passed_over: tuple[str, ...] = ()
    own: OwnSettings = field(default_factory=OwnSettings)
    expect: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[URL, ...] = ()
    python_path: tuple[Path, ...] = ()
    x: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def problem(self, code: str) -> SettingsProblem | None:
        """The first problem with this code."""
        return next((problem for problem in self.problems if problem.code == code), None)

    def without_unnamed_problems(self) -> Settings:
        """These settings for an env.py that finds its database itself: what nobody named cannot be wrong."""
        return replace(self, problems=tuple(problem for problem in self.problems if problem.named))

    def require_database(self) -> DatabaseSetting:
        """The database, or the first problem raised as an error.

        :raises AlembicExtError: no database can be resolved.
        """
        if self.database is not None:
            return self.database
        for problem in self.problems:
            raise problem.error()
        raise AlembicExtError("No database is configured.", code="AX104")
