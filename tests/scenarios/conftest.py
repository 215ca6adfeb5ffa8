"""What every scenario needs: a folder and an empty database, and no trace in this process afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.scenario import World, nothing_imported


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    """Migrating in this process imports the project's modules, and env.py sets logging up."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    disabled = {
        name: logger.disabled
        for name, logger in root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    with nothing_imported():
        yield
    root.handlers[:], root.level = handlers, level
    for name, logger in root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger):
            logger.disabled = disabled.get(name, False)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty database of the engine that the test is parametrised with. A SQLite file does not exist yet."""
    engine: str = request.node.callspec.params["engine"]
    if engine == "sqlite":
        return World(tmp_path, engine, f"sqlite:///{tmp_path / 'shop.db'}", None, monkeypatch)
    server = request.getfixturevalue(engine)
    world = World(tmp_path, engine, "", server, monkeypatch)
    world.url = world.account(server.create_database())
    return world
