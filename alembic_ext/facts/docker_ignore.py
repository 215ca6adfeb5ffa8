"""Docker's rules for ``.dockerignore``: which line hides a path from a build."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

_PIECES = re.compile(
    r"(?P<deep>\*\*/?)|(?P<star>\*)|(?P<one>\?)|\\(?P<escaped>.)|(?P<set>\[[^]]+\])|(?P<text>.)"
)


@dataclass(frozen=True)
class DockerPattern:
    """One line of a ``.dockerignore`` that says something.

    :param shows: the line begins with ``!``: what it matches is kept.
    """

    line: int
    text: str
    shows: bool
    expression: re.Pattern[str]


def read_patterns(text: str) -> tuple[DockerPattern, ...]:
    """The patterns of a ``.dockerignore``, in order; comments, empty lines and lines Docker refuses are left out."""
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        words = line.strip()
        shows = words.startswith("!")
        wanted = words.removeprefix("!").strip()
        if line.startswith("#") or not wanted:
            continue
        cleaned = posixpath.normpath(wanted).lstrip("/")
        try:
            expression = re.compile(_expression(cleaned), re.DOTALL)
        except re.error:
            continue
        patterns.append(DockerPattern(line=number, text=words, shows=shows, expression=expression))
    return tuple(patterns)


def hidden_by(patterns: tuple[DockerPattern, ...], path: str) -> DockerPattern | None:
    """The pattern that hides a path (relative to the build context, with ``/``), or ``None`` when it is kept.

    A pattern that matches a folder speaks for everything in it; the last pattern that speaks decides.
    """
    names = path.split("/")
    folders_and_path = ["/".join(names[:length]) for length in range(1, len(names) + 1)]
    for pattern in reversed(patterns):
        if any(pattern.expression.fullmatch(candidate) for candidate in folders_and_path):
            return None if pattern.shows else pattern
    return None


def _expression(pattern: str) -> str:
    """``**`` stands for any number of folders, ``*`` and ``?`` for characters other than ``/``."""
    expression = ""
    for piece in _PIECES.finditer(pattern):
        match piece.lastgroup:
            case "deep":
                expression += ".*" if piece.end() == len(pattern) else "(?:.*/)?"
            case "star":
                expression += "[^/]*"
            case "one":
                expression += "[^/]"
            case "set":
                expression += piece["set"]
            case "escaped":
                expression += re.escape(piece["escaped"])
            case _:
                expression += re.escape(piece["text"])
    return expression
