"""Reading a small text file, or saying in one sentence why not."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from alembic_ext.settings.model import SettingsProblem, UnusableSettingError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1024 * 1024
"""A configuration file is small. What is larger is something else, and is not read."""


def shown(path: Path, root: Path) -> str:
    """A path as people know it: relative to the project root when it lies there."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def lies_there(path: Path) -> bool:
    """``False`` only when nothing is there: what may not be looked at is not absent, and reading it will say so."""
    try:
        path.stat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def is_file(path: Path) -> bool:
    """Is there a file that may be looked at?"""
    try:
        return path.is_file()
    except OSError:
        return False


def read_text_file(path: Path, root: Path, *, code: str = "AX102") -> str:
    """The text of a UTF-8 file, without its byte order mark. Messages name it as seen from the project root.

    :raises UnusableSettingError: not a regular file, not readable, too large, binary, or not UTF-8.
    """
    data = read_bytes(path, root, code=code)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise unusable(
            path, root, code, "encoding", f"is not UTF-8 (line {line}).", "Save it as UTF-8.", line=line
        ) from None


def read_bytes(path: Path, root: Path, *, code: str) -> bytes:
    """The bytes of a small regular file that holds text.

    :raises UnusableSettingError: not a regular file, not readable, too large, or binary.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise unusable(
                path, root, code, "directory", "is a directory, not a file.", "Name the file inside it."
            )
        if not stat.S_ISREG(mode):  # a pipe would block, and give nothing when it is read again
            raise unusable(path, root, code, "not-a-file", "is not a regular file.", "Name a regular file.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise unusable(
            path, root, code, "unreadable", f"cannot be read: {reason}.", "Check the file's permissions."
        ) from None
    if len(data) > MAX_BYTES:
        raise unusable(
            path,
            root,
            code,
            "too-large",
            "is larger than 1 MiB and was not read.",
            "Name the configuration file itself.",
        )
    if b"\0" in data:
        raise unusable(
            path, root, code, "binary", "is a binary file, not text.", "Name a text file encoded as UTF-8."
        )
    return data


def unusable(  # noqa: PLR0917 - one sentence, in its order
    path: Path,
    root: Path,
    code: str,
    reason: str,
    what: str,
    hint: str,
    *,
    line: int | None = None,
    column: int | None = None,
) -> UnusableSettingError:
    """The error for a file as a whole. ``what`` goes on from the file's name."""
    return UnusableSettingError(
        SettingsProblem(
            code=code,
            summary=f"{shown(path, root)} {what}",
            hint=hint,
            path=path,
            line=line,
            column=column,
            evidence={"reason": reason, "path": str(path), "line": line, "column": column, "key": None},
        )
    )
