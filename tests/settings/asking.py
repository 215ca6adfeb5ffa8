"""Ask for settings in a folder of one's own, with an environment of one's own."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alembic.config import Config

from alembic_ext.settings import Settings, resolve_settings

INI = "[alembic]\nscript_location = %(here)s/alembic\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def ask(folder: Path, environ: Mapping[str, str] | None = None, **options: Any) -> Settings:
    """Settings as seen from ``folder``, where an alembic.ini is laid down unless there is one."""
    ini = folder / "alembic.ini"
    if not ini.exists():
        write(ini, INI)
    return resolve_settings(environ=environ or {}, cwd=options.pop("cwd", folder), **options)


def ask_yaml(root: Path, yaml: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings of a configuration file that was named."""
    write(root / "named.yaml", yaml)
    return ask(root, {**(environ or {}), "CONFIG_FILE": "named.yaml"})


def url_of(settings: Settings) -> str:
    """The whole URL, password included."""
    assert settings.problems == ()
    return settings.require_database().url.render_as_string(hide_password=False)


def command_line(
    *, config: list[str] | None = None, x: list[str] | None = None, name: str = "alembic"
) -> Config:
    """A ``Config`` as Alembic's own command line builds it: with default names, whether the files exist or not."""
    names = config or []
    ini = next((each for each in names if not each.endswith("pyproject.toml")), "alembic.ini")
    toml = next((each for each in names if each.endswith("pyproject.toml")), "pyproject.toml")
    return Config(
        file_=ini, toml_file=toml, ini_section=name, cmd_opts=Namespace(config=config, x=x, name=name)
    )
