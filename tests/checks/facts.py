"""Hand-made facts: any broken world in a line or two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy.engine import make_url

from alembic_ext.facts.created_tables import CreatedTables
from alembic_ext.facts.env_script import EnvScript, Failure
from alembic_ext.facts.history import History
from alembic_ext.facts.live_tables import LiveTables
from alembic_ext.facts.lost_revisions import LostRevision, Place
from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles, UnreadableFile
from alembic_ext.facts.target import Target
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.settings import Source
from alembic_ext.workspace import Sighting

VERSIONS = Path("/project/migrations/versions")
ENV_PY = Path("/project/migrations/env.py")


def revision_files(
    parents: Mapping[str, str | tuple[str, ...] | None],
    *,
    depends_on: Mapping[str, str] | None = None,
    unreadable: Iterable[UnreadableFile] = (),
) -> RevisionFiles:
    """Files by id, each with its down revisions."""
    needed = depends_on or {}
    return RevisionFiles(
        script_location=VERSIONS.parent,
        locations=(VERSIONS,),
        files=tuple(
            RevisionFile(
                path=VERSIONS / f"{revision}_.py",
                location=VERSIONS,
                revision=revision,
                down_revisions=(down,) if isinstance(down, str) else down or (),
                depends_on=(needed[revision],) if revision in needed else (),
                message=f"message of {revision}",
            )
            for revision, down in parents.items()
        ),
        unreadable=tuple(unreadable),
    )


def history(
    parents: Mapping[str, str | tuple[str, ...] | None], *, depends_on: Mapping[str, str] | None = None
) -> History:
    return History.from_files(revision_files(parents, depends_on=depends_on))


LINE: Mapping[str, str | None] = {"aaa1": None, "bbb2": "aaa1", "ccc3": "bbb2"}


def version_table(*rows: str | None, exists: bool = True, **more: Any) -> VersionTable:
    return VersionTable(name="alembic_version", exists=exists, rows=rows, **more)


def live_tables(*names: str) -> LiveTables:
    return LiveTables(schema="shop", names=frozenset(names))


def created_tables(*names: str, complete: bool = True) -> Callable[[], CreatedTables]:
    return lambda: CreatedTables(names=frozenset(names), complete=complete)


def target(url: str = "mysql+pymysql://app@db1/shop", **source: Any) -> Target:
    address = make_url(url)
    return Target(
        dialect=address.get_backend_name(),
        driver=address.get_driver_name(),
        host=address.host,
        port=address.port or 3306,
        database=address.database,
        user=address.username,
        source=Source(**(source or {"kind": "ini", "key": "sqlalchemy.url", "via": "sqlalchemy.url"})),
    )


def sighting(**known: Any) -> Sighting:
    """What env.py handed over; no rule touches the reader."""
    reader = cast("Any", SimpleNamespace())
    return Sighting(name="default", reader=reader, url=make_url("sqlite://"), options={}, **known)


def env_script(*failures: Failure) -> EnvScript:
    return EnvScript(path=ENV_PY, failures=failures)


def failure(code: str, **known: Any) -> Failure:
    values = {"summary": f"This is {code}.", "subject": "the subject", "hint": "Do this.", **known}
    return Failure(code=code, **values)


def lost(revision: str, case: str | None = None, *places: Place, **known: Any) -> dict[str, LostRevision]:
    return {revision: LostRevision(id=revision, case=case, places=places, **known)}


def place(kind: str = "commit", **known: Any) -> Place:
    values = {"path": "migrations/versions/ddd4_.py", "blob": "1f2e3d", **known}
    return Place(kind=kind, root=Path("/project"), **values)
