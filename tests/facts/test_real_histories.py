"""Real histories, taken from wheels: our reading equals Alembic's own map, id for id and edge for edge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from alembic_ext.facts.commits import find_commits
from alembic_ext.facts.history import History
from alembic_ext.facts.revision_files import read_revision_files


@dataclass(frozen=True)
class Shipped:
    """A folder of revisions in a wheel on PyPI, and how many there are in this very version."""

    requirement: str
    folder: str
    revisions: int

    def __str__(self) -> str:
        return f"{self.requirement}:{self.folder}"


HISTORIES = [
    Shipped("optuna==4.5.0", "optuna/storages/_rdb/alembic/versions", 10),
    Shipped("mlflow==3.4.0", "mlflow/store/db_migrations/versions", 38),
    Shipped("mlflow==3.4.0", "mlflow/server/auth/db/migrations/versions", 1),
    Shipped("prefect==3.4.20", "prefect/server/database/_migrations/versions/sqlite", 106),
    Shipped("prefect==3.4.20", "prefect/server/database/_migrations/versions/postgresql", 110),
    Shipped("dagster==1.11.12", "dagster/_core/storage/alembic/versions", 86),
]

ALEMBICS_MAP = textwrap.dedent(
    '''
    """Load the folder with Alembic itself; what its files import and is no library of Alembic's is stood in for."""
    import json, sys, types, warnings
    from importlib.abc import Loader, MetaPathFinder
    from importlib.machinery import ModuleSpec
    from unittest.mock import MagicMock

    from alembic.script import ScriptDirectory

    REAL = {*sys.stdlib_module_names, "alembic", "sqlalchemy", "mako", "markupsafe", "greenlet", "typing_extensions"}

    class Anything(MagicMock):
        def in_(self, values):  # mlflow builds a CHECK at module level
            return "x"

    class StandIn(types.ModuleType):
        __path__ = []
        __all__ = []
        def __getattr__(self, name):
            return Anything()

    class StandIns(MetaPathFinder, Loader):
        def find_spec(self, name, path, target=None):
            return None if name.partition(".")[0] in REAL else ModuleSpec(name, self, is_package=True)
        def create_module(self, spec):
            return StandIn(spec.name)
        def exec_module(self, module):
            pass

    sys.meta_path.insert(0, StandIns())
    warnings.simplefilter("error", UserWarning)
    script = ScriptDirectory(sys.argv[1], version_locations=[sys.argv[1]])
    revisions = script.revision_map
    found = {}
    for one in script.walk_revisions():
        found[one.revision] = {
            "down": list(one._versioned_down_revisions),
            "all": sorted(one._all_down_revisions),
            "labels": sorted(one.branch_labels),
            "message": one.doc.partition("\\n")[0].rstrip(),
            "path": str(one._script_path),
        }
    print(json.dumps({
        "revisions": found,
        "heads": list(script.get_heads()),
        "effective_heads": list(revisions._real_heads),
        "bases": list(script.get_bases()),
    }))
    '''
)


@pytest.fixture
def unpacked(shipped: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's revision folders, unpacked once for all workers of the session."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shipped-histories"
    cache.mkdir(exist_ok=True)
    root = cache / shipped.requirement.replace("==", "-")
    turn = root.with_suffix(".turn")
    deadline = time.monotonic() + 280
    while not root.exists():
        try:
            turn.mkdir()
        except FileExistsError:  # another worker is at it
            assert time.monotonic() < deadline, f"{shipped.requirement} was not unpacked in time"
            time.sleep(0.2)
            continue
        try:
            if not root.exists():
                _unpack(shipped.requirement, root)
        finally:
            turn.rmdir()
    return root / shipped.folder


def _unpack(requirement: str, root: Path) -> None:
    download = root.with_suffix(".download")
    shutil.rmtree(download, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    done = subprocess.run(
        [*command, "--dest", str(download), requirement], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = download.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        wanted = [name for name in archive.namelist() if "/versions/" in name]
        archive.extractall(download / "unpacked", wanted)
    (download / "unpacked").rename(root)
    shutil.rmtree(download)


@pytest.mark.parametrize("shipped", HISTORIES, ids=str)
def test_our_map_is_alembics(shipped: Shipped, unpacked: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-B", "-c", ALEMBICS_MAP, str(unpacked)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert loaded.returncode == 0, loaded.stderr
    theirs = json.loads(loaded.stdout)
    files = read_revision_files(unpacked, (unpacked,))
    ours = History.from_files(files)

    assert len(files.files) == shipped.revisions
    broken = (*files.unreadable, *ours.missing, *ours.duplicates, *ours.cycles, *ours.label_conflicts)
    assert broken == ()
    assert {
        revision: {
            "down": list(ours.down[revision]),
            "all": sorted(ours.parents[revision]),
            "labels": sorted(ours.labels[revision]),
            "message": file.message,
            "path": str(file.path.resolve()),
        }
        for revision, file in ours.revisions.items()
    } == theirs["revisions"]
    assert (list(ours.heads), list(ours.bases)) == (theirs["heads"], theirs["bases"])
    assert list(ours.effective_heads) == theirs["effective_heads"]
    assert find_commits(files) == (), "none of these commits its own connection"
