"""One project, one target: whatever the working directory, the door, the Python path, the locale, or the links on the way."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config

from alembic_ext.settings import Settings, resolve_settings
from tests.project import DOORS, Project

IDS = ("a1", "b2", "c3", "d4", "e5")
CONFIGURATION = "conf/named.yaml"
PLACES = ("root", "inside", "parent", "filesystem-root", "decoy", "link")
NAMINGS = ("-c absolute", "-c relative", "ALEMBIC_CONFIG absolute", "ALEMBIC_CONFIG relative")
PYTHON_PATHS = ("none", "relative", "absolute", "decoy")
CONFIG_FILES = ("relative", "absolute", "through the link")
LOCALES: tuple[dict[str, str | None], ...] = (
    {},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


@dataclass(frozen=True)
class Shop:
    """A project in which everything is relative, a link to it, and a folder full of what must not be taken for it."""

    project: Project
    link: Path
    decoy: Path

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def database(self) -> Path:
        return self.root / "data" / "shop.db"

    def place(self, name: str) -> Path:
        """Where the user stands."""
        inside = self.root / "migrations" / "versions"
        folders = (self.root, inside, self.root.parent, Path(self.root.anchor), self.decoy, self.link)
        return dict(zip(PLACES, folders, strict=True))[name]

    def naming(self, place: str, naming: str, folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
        """How the user says which project is meant: nothing at the root, and options or variables elsewhere."""
        if place in {"root", "link"}:
            return (), {}
        ini = str(folder / "alembic.ini")
        if naming.endswith("relative"):
            ini = os.path.relpath(ini, self.place(place))
        return (("-c", ini), {}) if naming.startswith("-c") else ((), {"ALEMBIC_CONFIG": ini})

    def variables(self, config_file: str, python_path: str) -> dict[str, str]:
        named = {"relative": "", "absolute": f"{self.root}/", "through the link": f"{self.link}/"}
        searched = {
            "relative": ("src", "."),
            "absolute": (self.root / "src", self.root),
            "decoy": (self.decoy / "src", self.decoy),
        }
        variables = {"CONFIG_FILE": named[config_file] + CONFIGURATION}
        if python_path in searched:
            variables["PYTHONPATH"] = os.pathsep.join(map(str, searched[python_path]))
        return variables


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    project = Project.create(
        tmp_path / "where the shop is" / "shop",
        helper='"shop_models:Base"',
        revisions=IDS,
        ini={"prepend_sys_path": "src", "sqlalchemy.url": "sqlite:///not-this-one.db"},
    )
    project.write_models(len(IDS)).rename(project.write("src/shop_models.py", ""))
    project.write_config("database: data/not-this-one-either.db")
    project.write_config("database:\n  type: sqlite\n  sqlite: {path: ./data/shop.db}\n", CONFIGURATION)
    project.write("data/.gitkeep", "")
    project.write_runner()
    link = tmp_path / "links" / "to the shop"
    link.parent.mkdir()
    link.symlink_to(project.root, target_is_directory=True)
    decoy = Project.create(tmp_path / "decoy", revisions=("zz9",))
    decoy.write_config("database: decoy.db")
    decoy.write_config("database: decoy.db", CONFIGURATION)
    decoy.write("src/shop_models.py", "import sqlalchemy as sa\nclass Base:\n    metadata = sa.MetaData()\n")
    decoy.write(".env", "CONFIG_FILE=decoy.yaml\n")
    return Shop(project, link, decoy.root)


def databases_below(folder: Path) -> list[Path]:
    """Every database file that anybody laid down."""
    return sorted(folder.rglob("*.db"))


@pytest.mark.parametrize("door", DOORS)
def test_every_door_resolves_one_target_from_everywhere(shop: Shop, tmp_path: Path, door: str) -> None:
    """Every value of every dimension occurs with every door; the whole product is resolved in process below."""
    shop.project.through("runner", "upgrade", "head", env={"CONFIG_FILE": CONFIGURATION}).expect()
    source = {
        "kind": "config-file",
        "path": CONFIGURATION,
        "key": "database.sqlite",
        "via": "CONFIG_FILE",
    }
    targets = set()
    for turn, place in enumerate(PLACES, start=DOORS.index(door)):
        folder = (shop.root, shop.link)[turn % 2]
        options, named = shop.naming(place, NAMINGS[turn % 4], folder)
        if door == "runner":
            options, named = (), {}
        variables = shop.variables(CONFIG_FILES[turn % 3], PYTHON_PATHS[turn % 4])
        run = replace(shop.project, root=folder).doctor(
            "--fail-on",
            "info",
            door=door,
            options=options,
            cwd=shop.place(place),
            env={**variables, **named, **LOCALES[turn // 2 % 2]},
        )
        (database,) = run.expect(0).json["databases"]
        targets.add(json.dumps(database["target"]))
        assert database["record"]["rows"] == ["e5"]

    (target,) = map(json.loads, targets)
    assert (target["database"], target["source"]) == (str(shop.database), source)
    assert databases_below(tmp_path) == [shop.database]


def test_every_combination_resolves_to_the_same(shop: Shop) -> None:
    resolved: set[str] = set()
    for place, naming, folder, config_file, python_path in product(
        PLACES, NAMINGS, (shop.root, shop.link), CONFIG_FILES, PYTHON_PATHS
    ):
        options, named = shop.naming(place, naming, folder)
        settings = resolve_settings(
            Config(
                file_=options[1] if options else "alembic.ini",
                toml_file="pyproject.toml",
                cmd_opts=Namespace(config=[options[1]] if options else None, x=None, name="alembic"),
            ),
            environ={**shop.variables(config_file, python_path), **named},
            cwd=shop.place(place),
        )
        assert settings.python_path[:2] == (shop.root, shop.root / "src")
        assert len(set(settings.python_path)) == len(settings.python_path)
        resolved.add(repr((settings.root, settings.ini, settings.config_file, settings.database)))

    (one,) = resolved
    assert str(shop.database) in one
    assert str(shop.link) not in one


def by_option(shop: Shop, name: str) -> Settings:
    options = Namespace(config=None, x=[f"config_file={name}"], name="alembic")
    return resolve_settings(Config("alembic.ini", cmd_opts=options), environ={}, cwd=shop.root)


def by_argument(shop: Shop, name: str) -> Settings:
    return resolve_settings(config_file=name, root=shop.root, environ={}, cwd=shop.decoy)


def by_setting(shop: Shop, name: str) -> Settings:
    shop.project.write_ini(own={"config_file": name})
    return resolve_settings(root=shop.root, environ={}, cwd=shop.decoy)


@pytest.mark.parametrize("ask", [by_option, by_argument, by_setting])
def test_every_way_to_name_a_configuration_means_the_same_file(
    shop: Shop, ask: Callable[[Shop, str], Settings]
) -> None:
    for name in (CONFIGURATION, f"./{CONFIGURATION}", str(shop.root / CONFIGURATION), str(shop.link / CONFIGURATION)):  # fmt: skip
        settings = ask(shop, name)
        assert settings.config_file == shop.root / CONFIGURATION
        assert settings.require_database().url.database == str(shop.database)


def test_stock_commands_reach_the_same_file_through_every_door(shop: Shop, tmp_path: Path) -> None:
    """A relay: each door goes up by one revision, from another place, and the next one sees how far it got."""
    assert len(DOORS) == len(IDS)
    reached = "base"
    for number, (door, revision) in enumerate(zip(DOORS, IDS, strict=True)):
        place = PLACES[(number + 1) % len(PLACES)]
        options, named = shop.naming(place, NAMINGS[number % 4], shop.link)
        if door == "runner":
            options, named = (), {}
        how: dict[str, Any] = {
            "cwd": shop.place(place),
            "options": options,
            "env": {**shop.variables(CONFIG_FILES[number % 3], PYTHON_PATHS[number % 4]), **named},
        }
        current = shop.project.through(door, "current", **how).expect().stdout.split()
        assert current[:1] == ([] if reached == "base" else [reached])
        shop.project.through(door, "upgrade", "+1", **how).expect()
        reached = revision

    assert databases_below(tmp_path) == [shop.database]
    assert Project(shop.root, f"sqlite:///{shop.database}").sql(
        "SELECT version_num FROM alembic_version"
    ) == [(IDS[-1],)]
