"""A small real project in a folder: real files, run through the real command line in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import alembic

import alembic_ext
from tests import servers

DOORS = ("plugin", "plugin-module", "runner", "module", "script")

HELPER_ENV = """\
from alembic_ext.env import run_migrations

run_migrations({metadata})
"""

RUNNER = """\
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]

from alembic_ext.cli import main

if __name__ == "__main__":
    main(root=HERE)
"""

LOGGING = """\

[loggers]
keys = root,sqlalchemy,alembic

[handlers]
keys = console

[formatters]
keys = generic

[logger_root]
level = WARNING
handlers = console
qualname =

[logger_sqlalchemy]
level = WARNING
handlers =
qualname = sqlalchemy.engine

[logger_alembic]
level = INFO
handlers =
qualname = alembic

[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic

[formatter_generic]
format = %(levelname)-5.5s [%(name)s] %(message)s
datefmt = %H:%M:%S
"""


def package_is_installed() -> bool:
    """The package under test comes from an environment's site-packages, as a user has it."""
    places = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return Path(alembic_ext.__file__).resolve().parent.parent in places


@dataclass(frozen=True)
class Run:
    """What a command did."""

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def json(self) -> dict[str, Any]:
        """Standard output as the one JSON object that it must be."""
        try:
            loaded: dict[str, Any] = json.loads(self.stdout)
        except ValueError:
            raise AssertionError(f"standard output is not JSON\n{self}") from None
        return loaded

    @property
    def codes(self) -> set[str]:
        """The codes of all findings in the JSON."""
        return {finding["code"] for finding in self.json["findings"]}

    def expect(self, exit_code: int = 0) -> Run:
        """Itself, when it ended as expected; else everything it said."""
        assert self.exit_code == exit_code, str(self)
        return self

    def __str__(self) -> str:
        return f"$ {' '.join(self.command)}\nexit code {self.exit_code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


@dataclass(frozen=True)
class Project:
    """A project in ``root``, whose migration environment is the folder ``environment``."""

    root: Path
    url: str
    environment: str = "migrations"

    # Laying it out.

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        url: str | None = None,
        environment: str = "migrations",
        helper: str | None = None,
        revisions: Sequence[str] = ("aaa1", "bbb2", "ccc3"),
        at: str | None = None,
        models: bool = False,
        env: Mapping[str, Any] | None = None,
        ini: Mapping[str, str] | None = None,
        own: Mapping[str, str] | None = None,
    ) -> Project:
        """A project that works: alembic.ini, env.py and a line of revisions, each creating one table t1, t2 ...

        :param url: the database; a SQLite file ``app.db`` in the project unless told.
        :param helper: write the two-line env.py of ours, with this as its argument's text (``""`` for none).
        :param revisions: ids, oldest first.
        :param at: upgrade the database to this revision with stock Alembic.
        :param models: also write ``models.py`` that agrees with the revisions, and let env.py use it.
        :param env: arguments for :meth:`write_env`.
        :param ini: further keys of ``[alembic]``.
        :param own: keys of ``[alembic_ext]``.
        """
        root.mkdir(parents=True, exist_ok=True)
        project = cls(root, url or f"sqlite:///{root / 'app.db'}", environment)
        project.write_ini(ini, own=own)
        if models:
            project.write_models(len(revisions))
        if helper is not None:
            project.write_helper_env(helper or ('"models:Base"' if models else ""))
        else:
            project.write_env(**{"metadata": "models:Base.metadata" if models else None, **(env or {})})
        project.write(f"{environment}/script.py.mako", _template("script.py.mako"))
        (project.versions).mkdir(parents=True, exist_ok=True)
        for number, (revision, down) in enumerate(zip(revisions, (None, *revisions), strict=False), start=1):
            project.revision(
                revision,
                down,
                f'op.create_table("t{number}", sa.Column("id", sa.Integer(), primary_key=True))',
                downgrade=f'op.drop_table("t{number}")',
            )
        if at is not None:
            project.alembic("upgrade", at).expect()
        return project

    @property
    def versions(self) -> Path:
        return self.root / self.environment / "versions"

    @property
    def ini(self) -> Path:
        return self.root / "alembic.ini"

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file of the project; text is UTF-8."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def write_ini(
        self,
        keys: Mapping[str, str] | None = None,
        *,
        own: Mapping[str, str] | None = None,
        name: str = "alembic.ini",
    ) -> Path:
        """alembic.ini like the one of ``alembic init``. A key given as ``""`` stays empty; ``%`` is doubled in the URL only."""
        values = {
            "script_location": f"%(here)s/{self.environment}",
            "prepend_sys_path": ".",
            "path_separator": "os",
            "sqlalchemy.url": self.url.replace("%", "%%"),
            **(keys or {}),
        }
        text = "[alembic]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        if own:
            text += "\n[alembic_ext]\n" + "".join(f"{key} = {value}\n" for key, value in own.items())
        return self.write(name, text + LOGGING)

    def write_env(
        self,
        *,
        metadata: str | None = None,
        options: str = "",
        top: str = "",
        before_configure: str = "",
        after_run: str = "",
        text: str | None = None,
    ) -> Path:
        """The stock env.py of the installed Alembic (template ``generic``), changed where asked.

        :param metadata: ``module:name`` of the target metadata.
        :param options: further arguments of the online ``context.configure``, as source (``version_table="v"``).
        :param top: source put at the top of the file.
        :param before_configure: source run with ``connection`` open, before the online ``context.configure``.
        :param after_run: source run after the online migrations, with ``connection`` still open.
        :param text: the whole file instead.
        """
        source = _template("env.py") if text is None else text
        if metadata is not None:
            module, name = metadata.split(":")
            source = _replaced(
                source, "target_metadata = None", f"import {module}\ntarget_metadata = {module}.{name}"
            )
        online = "        context.configure(\n            connection=connection, target_metadata=target_metadata\n        )\n"
        if options or before_configure:
            call = f"        context.configure(connection=connection, target_metadata=target_metadata, {options})\n"
            source = _replaced(source, online, _indented(before_configure, 8) + call)
        if after_run:
            run = "        with context.begin_transaction():\n            context.run_migrations()\n"
            source = _replaced(source, run, run + _indented(after_run, 8))
        return self.write(f"{self.environment}/env.py", f"{top}\n{source}" if top else source)

    def write_helper_env(self, metadata: str = "") -> Path:
        """Our two lines as env.py. ``metadata`` is the source of the arguments, with its quotes."""
        return self.write(f"{self.environment}/env.py", HELPER_ENV.format(metadata=metadata))

    def write_config(self, text: str, name: str = "config.yaml") -> Path:
        """A YAML configuration file."""
        return self.write(name, textwrap.dedent(text))

    def write_models(self, tables: int = 3) -> Path:
        """models.py with the tables t1, t2 ... that the default revisions create."""
        classes = [
            f'class T{n}(Base):\n    __tablename__ = "t{n}"\n    id = sa.Column(sa.Integer(), primary_key=True)\n'
            for n in range(1, tables + 1)
        ]
        head = "import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n"
        return self.write("models.py", "\n\n".join([head, *classes]))

    def write_runner(self) -> Path:
        """run_alembic.py, like the one at the root of the repository."""
        return self.write("run_alembic.py", RUNNER)

    def revision(
        self,
        revision: str,
        down: str | Sequence[str] | None = None,
        body: str = "pass",
        *,
        downgrade: str = "pass",
        message: str | None = None,
        depends_on: str | Sequence[str] | None = None,
        branch_labels: str | Sequence[str] | None = None,
        top: str = "",
        folder: str | None = None,
        name: str | None = None,
    ) -> Path:
        """Write a revision file as the stock template would.

        :param body: the source of ``upgrade()``; several lines are fine.
        :param top: source between the imports and the identifiers.
        :param folder: another version location, relative to the project.
        :param name: the file's name; the id unless told.
        """
        message = f"revision {revision}" if message is None else message

        def ids(value: str | Sequence[str] | None) -> str:
            return repr(value if value is None or isinstance(value, str) else tuple(value))

        revises = down if isinstance(down, str) else ", ".join(down or ())
        text = (
            f'"""{message}\n\nRevision ID: {revision}\nRevises: {revises}\n'
            'Create Date: 2026-01-05 09:00:00.000000\n\n"""\n'
            "from typing import Sequence, Union\n\nfrom alembic import op\nimport sqlalchemy as sa\n\n"
            f"{top}\n"
            "# revision identifiers, used by Alembic.\n"
            f"revision: str = {revision!r}\n"
            f"down_revision: Union[str, Sequence[str], None] = {ids(down)}\n"
            f"branch_labels: Union[str, Sequence[str], None] = {ids(branch_labels)}\n"
            f"depends_on: Union[str, Sequence[str], None] = {ids(depends_on)}\n\n\n"
            f'def upgrade() -> None:\n    """Upgrade schema."""\n{_indented(body, 4)}\n\n'
            f'def downgrade() -> None:\n    """Downgrade schema."""\n{_indented(downgrade, 4)}'
        )
        return self.write(f"{folder or f'{self.environment}/versions'}/{name or f'{revision}_.py'}", text)

    # Using it.

    def alembic(self, *arguments: str, **how: Any) -> Run:
        """Run the stock executable; options before the command name are arguments like any other."""
        return self.execute(*_command("plugin", self.root), *arguments, **how)

    def doctor(
        self,
        *arguments: str,
        door: str = "plugin",
        options: Sequence[str] = (),
        json: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        **how: Any,
    ) -> Run:
        """Run our doctor through a door; it reports as JSON unless told otherwise.

        :param arguments: options after the command name.
        """
        report = ("--format", "json") if json and "--format" not in arguments else ()
        return self.through(door, "doctor", *report, *arguments, options=options, cwd=cwd, env=env, **how)

    def through(
        self,
        door: str,
        *command: str,
        options: Sequence[str] = (),
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        **how: Any,
    ) -> Run:
        """Run any command through a door.

        :param door: ``plugin`` (``alembic doctor``), ``plugin-module`` (``python -m alembic``), ``runner``
            (``run_alembic.py``, written when it is not there), ``module`` (``python -m alembic_ext``) or
            ``script`` (``alembic-ext``).
        :param options: options before the command name (``-c``, ``-n``, ``-x``).
        :param cwd: elsewhere than the project root. Then ``-c`` is added for the doors that need it, unless
            ``options`` or ALEMBIC_CONFIG say which project is meant.
        """
        if door == "runner" and not (self.root / "run_alembic.py").exists():
            self.write_runner()
        named = "-c" in options or "--config" in options or "ALEMBIC_CONFIG" in (env or {})
        elsewhere = cwd is not None and cwd.resolve() != self.root.resolve()
        if elsewhere and door != "runner" and not named:
            options = ("-c", str(self.ini), *options)
        return self.execute(*_command(door, self.root), *options, *command, cwd=cwd, env=env, **how)

    def execute(
        self,
        *command: str,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        stdin: str | None = None,
        timeout: float = 120,
    ) -> Run:
        """Run any command in the project.

        :param env: variables to add; ``None`` takes one away.
        """
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=environment(env),
            input=stdin or "",
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        return Run(tuple(command), done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str) -> str:
        """Run git in the project; its output."""
        return self.execute("git", *arguments).expect().stdout

    def commit(self, message: str = "work") -> str:
        """Commit everything, in a repository made when there is none; the commit's id."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def sql(self, *statements: str) -> list[Any]:
        """Run statements on the project's database, each committed at once; the rows of the last one."""
        return servers.run(self.url, *statements)

    def set_rows(self, *ids: str) -> None:
        """Make the (existing) version table hold exactly these ids."""
        self.sql(
            "DELETE FROM alembic_version", *(f"INSERT INTO alembic_version VALUES ('{one}')" for one in ids)
        )

    def dump(self) -> str:
        """Everything in the project's database as text."""
        return servers.dump(self.url)

    def files(self) -> dict[str, bytes]:
        """Every file of the project, bytecode excepted, for comparing before with after."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The variables for a process of the tests: those of the test, and the package made findable when it is not installed."""
    variables: dict[str, str] = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    variables.pop("PYTHONPATH", None)
    for name, value in (changes or {}).items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
    if source := _source_path():
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [variables.get("PYTHONPATH"), *source]))
    return variables


def _source_path() -> list[str]:
    """While developing: where the package and a stand-in for its installed metadata (entry points) are."""
    if package_is_installed():
        return []
    source = Path(alembic_ext.__file__).resolve().parent.parent
    try:
        distribution("alembic-ext")
    except PackageNotFoundError:
        return [str(source), str(_stand_in_metadata())]
    return [str(source)]


def _stand_in_metadata() -> Path:
    folder = Path(os.environ["XDG_CACHE_HOME"]).parent / "metadata"
    info = folder / f"alembic_ext-{alembic_ext.__version__}.dist-info"
    if not (info / "entry_points.txt").exists():
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: alembic-ext\nVersion: {alembic_ext.__version__}\n"
        )
        (info / "entry_points.txt").write_text("[alembic.plugins]\nalembic_ext = alembic_ext.plugin\n")
    return folder


def _command(door: str, root: Path) -> tuple[str, ...]:
    scripts = Path(sysconfig.get_path("scripts"))
    if door == "plugin":
        return (str(scripts / "alembic"),)
    if door == "plugin-module":
        return (sys.executable, "-m", "alembic")
    if door == "runner":
        return (sys.executable, str(root / "run_alembic.py"))
    if door == "script" and package_is_installed():
        return (str(scripts / "alembic-ext"),)
    assert door in DOORS, door
    return (sys.executable, "-m", "alembic_ext")


def _template(name: str) -> str:
    return (Path(alembic.__file__).parent / "templates" / "generic" / name).read_text(encoding="utf-8")


def _replaced(source: str, old: str, new: str) -> str:
    assert old in source, f"the stock env.py no longer contains {old!r}"
    return source.replace(old, new)


def _indented(source: str, spaces: int) -> str:
    return textwrap.indent(textwrap.dedent(source).strip("\n"), " " * spaces) + "\n" if source else ""
