"""Revision files, read as text and never imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RevisionFile:
    """One readable revision file.

    :param location: the version location it was found in.
    :param down_revisions: ids as written; ``()`` for a base.
    :param message: the first line of the docstring, or ``""``.
    :param line: the line of ``revision = ...``, from 1.
    """

    path: Path
    location: Path
    revision: str
    down_revisions: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    message: str = ""
    line: int = 1
    down_revision_line: int | None = None
    depends_on_line: int | None = None


@dataclass(frozen=True, kw_only=True)
class UnreadableFile:
    """A file in a version location that Alembic would load and that we could not read, with the reason."""

    path: Path
    reason: str
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class RevisionFiles:
    """What lies in the version locations.

    :param locations: the version locations, absolute, in order; missing ones included.
    :param missing_locations: those that do not exist.
    """

    script_location: Path
    locations: tuple[Path, ...] = ()
    missing_locations: tuple[Path, ...] = ()
    recursive: bool = False
    sourceless: bool = False
    files: tuple[RevisionFile, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
